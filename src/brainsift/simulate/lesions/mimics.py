"""What is mistaken for lesions and is none: perivascular spaces, lacunes, choroid plexus."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.lesions.choroid import Choroid, choroid_share, draw_choroid
from brainsift.simulate.lesions.ground import Ground
from brainsift.simulate.lesions.lacunes import Lacune, draw_lacunes, lacune_shares
from brainsift.simulate.lesions.tubes import Tube, draw_tubes, tube_share

Float32 = NDArray[np.float32]

MOST_TUBES = (70, 30)
"""In the centrum semiovale and in the basal ganglia of both sides; more than 40 is the highest grade (Potter 2015,
Cerebrovasc Dis 39:224)."""

LACUNE_SHARE = 0.3


@dataclass(frozen=True)
class Mimics:
    """All that was drawn.

    Attributes
    ----------
    tubes, lacunes, choroid : what there is.
    plexus_t1w : signal of the plexus on T1w, share of the way from fluid to white matter.
    plexus_flair : the same on FLAIR, from fluid to 1.3 times grey matter.
    scar_t1w, scar_flair : of a lacune's rim, as a lesion's depth and gain.
    """

    tubes: tuple[Tube, ...]
    lacunes: tuple[Lacune, ...]
    choroid: Choroid
    plexus_t1w: float
    plexus_flair: float
    scar_t1w: float
    scar_flair: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class PlacedMimics:
    """Shares of each voxel of the box, float32 (X, Y, Z): fluid (of tubes and holes), scar and plexus."""

    fluid: Float32
    scar: Float32
    plexus: Float32

    @property
    def share(self) -> Float32:
        """Share of each voxel that is any of them; it is no lesion, whatever it looks like."""
        share: Float32 = np.minimum(self.fluid + self.scar + self.plexus, np.float32(1))
        return share


def draw_mimics(rng: np.random.Generator, ground: Ground) -> Mimics:
    """Draw mimics: few or many perivascular spaces, lacunes in a third of heads, plexus in most."""
    many = rng.beta(0.8, 1.6, 2)
    lacunes = int(rng.integers(1, 6)) if rng.random() < LACUNE_SHARE else 0
    return Mimics(
        tubes=tuple(draw_tubes(rng, ground, round(many[0] * MOST_TUBES[0]), round(many[1] * MOST_TUBES[1]))),
        lacunes=tuple(draw_lacunes(rng, ground, lacunes)),
        choroid=draw_choroid(rng),
        plexus_t1w=float(rng.uniform(0.25, 0.85)),
        plexus_flair=float(rng.uniform(0.4, 1.0)),
        scar_t1w=float(rng.uniform(0.3, 1.0)),
        scar_flair=float(rng.uniform(1.05, 1.5)),
    )


def place_mimics(ground: Ground, mimics: Mimics) -> PlacedMimics:
    """Put mimics into a head; 0.2 s at 1 mm."""
    hole, rim = lacune_shares(ground, list(mimics.lacunes))
    fluid = np.maximum(hole, tube_share(ground, list(mimics.tubes)))
    return PlacedMimics(fluid, np.minimum(rim, 1 - fluid), choroid_share(ground, mimics.choroid))


def paint_mimics_t1w(
    image: Float32, placed: PlacedMimics, m: Mimics, white: float, grey: float, fluid: float
) -> Float32:
    """Blend mimics into a T1w image of the box."""
    scar = white + m.scar_t1w * (grey - white)
    return _blend(image, placed, fluid, scar, fluid + m.plexus_t1w * (white - fluid))


def paint_mimics_on_real(image: Float32, placed: PlacedMimics, m: Mimics, grey: float, fluid: float) -> Float32:
    """Blend holes and scars into a real T1w image of the box, white matter about 1; it has its own plexus."""
    rest = 1 - placed.share
    scar = image * np.float32(1 - m.scar_t1w * (1 - grey))
    mixed: Float32 = rest * image + placed.fluid * np.float32(fluid) + placed.scar * scar
    return mixed


def paint_mimics_flair(
    image: Float32, placed: PlacedMimics, m: Mimics, white: float, grey: float, fluid: float
) -> Float32:
    """Blend mimics into a FLAIR image of the box."""
    top = max(white, grey)
    return _blend(image, placed, fluid, top * m.scar_flair, fluid + m.plexus_flair * (1.3 * top - fluid))


def _blend(image: Float32, placed: PlacedMimics, fluid: float, scar: float, plexus: float) -> Float32:
    rest = 1 - placed.share
    mixed: Float32 = (
        rest * image
        + placed.fluid * np.float32(fluid)
        + placed.scar * np.float32(scar)
        + placed.plexus * np.float32(plexus)
    )
    return mixed
