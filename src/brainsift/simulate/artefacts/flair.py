"""Artefacts of FLAIR: fluid that flows, fluid that is not suppressed, a slab that fades towards its ends."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.artefacts.measures import Corrupted, Mask, change_in
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]
Three = tuple[float, float, float]

FLUID_LABELS = (4, 5, 14, 15, 24, 43, 44, 72)
"""FreeSurfer's ventricles and the fluid around the brain."""

EDGE_VOXELS = 0.6
"""Standard deviation of the blur of the fluid's mask: voxels at an edge are partly fluid."""

PLUME_KNOT_MM = 22.0
"""Fluid moves in plumes of a centimetre or two: aqueduct, foramina, cisterns."""

RISE_MM = 40.0
"""Height over which inflow fades upwards from the base of the brain, where the pulse is strongest."""

UNEVEN_KNOT_MM = 60.0
"""The inversion fails over regions of several centimetres."""

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class CsfFlow:
    """Fluid that was not inverted because it flowed in later, and its pulsation (Bakshi 2000, AJNR 21:503).

    Attributes
    ----------
    brightness : of the brightest plume, relative to white matter.
    pulsation : share of the plume's brightness in each of its ghosts.
    axis : phase-encoding axis.
    shift : distance of the first ghost, share of the field of view.
    seed : of the plumes.
    """

    brightness: float
    pulsation: float
    axis: int
    shift: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Unsuppressed:
    """Inversion at the wrong time, or not everywhere: fluid keeps signal.

    Attributes
    ----------
    level : of fluid, relative to white matter.
    unevenness : 0, the same everywhere, to 1: none in some regions, twice as much in others.
    seed : of the regions.
    """

    level: float
    unevenness: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Slab:
    """The profile of a 3D slab: signal falls towards both ends, and a coil or a pulse shades it along the way.

    Attributes
    ----------
    axis : across the slab.
    roll_off : share of the signal that is lost at the very ends.
    width : of each end that fades, share of the field of view.
    shading : change of the signal from one end to the other, relative.
    """

    axis: int
    roll_off: float
    width: float
    shading: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


FlairArtefact = CsfFlow | Unsuppressed | Slab


@dataclass(frozen=True, eq=False)
class FluidImage:
    """An image after an artefact of fluid.

    Attributes
    ----------
    image : float32 (X, Y, Z).
    ghost : change in the brain outside the fluid (see `change_in`), which looks like motion.
    fluid : median of the fluid relative to that of white matter.
    """

    image: Float32
    ghost: float
    fluid: float


def draw_csf_flow(rng: np.random.Generator, severity: float) -> CsfFlow:
    """Draw flow, at an asked `severity` of 0 to 2 roughly; phase encoding mostly along the first two axes."""
    return CsfFlow(
        brightness=float(0.8 * severity * np.exp(rng.normal(0, 0.25))),
        pulsation=float(np.clip(0.22 * severity * np.exp(rng.normal(0, 0.4)), 0, 0.9)),
        axis=int(rng.choice(3, p=[0.4, 0.4, 0.2])),
        shift=float(rng.uniform(0.06, 0.3)),
        seed=int(rng.integers(2**31)),
    )


def draw_unsuppressed(rng: np.random.Generator, severity: float) -> Unsuppressed:
    """Draw a failure of suppression, at an asked `severity` of 0 to 2 roughly; uneven in half of the draws."""
    return Unsuppressed(
        level=float(np.clip(0.3 + 0.5 * severity + rng.normal(0, 0.08), 0, 2)),
        unevenness=float(rng.uniform(0.2, 0.8)) if rng.random() < 0.5 else 0.0,
        seed=int(rng.integers(2**31)),
    )


def draw_slab(rng: np.random.Generator, severity: float) -> Slab:
    """Draw a slab's profile, at an asked `severity` of 0 to 2 roughly; slabs are sagittal or axial."""
    return Slab(
        axis=int(rng.choice([0, 2])),
        roll_off=float(np.clip(0.4 * severity * rng.uniform(0.6, 1.4), 0, 0.9)),
        width=float(rng.uniform(0.08, 0.25)),
        shading=float(rng.normal(0, 0.15 * severity)),
    )


def apply_csf_flow(
    image: Float32, flow: CsfFlow, spacing_mm: Three, fluid: Mask, white: Mask, brain: Mask
) -> FluidImage:
    """Brighten plumes of fluid and lay their ghosts beside them along the phase axis; 0.3 s for 192x224x192.

    Raises
    ------
    ValueError
        if a mask is empty.
    """
    level = _white_level(image, white, fluid)
    rng = np.random.default_rng(flow.seed)
    plumes = np.clip(spline_field(rng, _shape(image), PLUME_KNOT_MM / float(np.mean(spacing_mm))), 0, None)
    plumes *= _near_base(brain, spacing_mm[2])
    plumes /= max(float(plumes[fluid].max()), 1e-6)
    added = np.float32(flow.brightness * level) * plumes * _soft(fluid)
    out = image + added
    step = max(1, round(flow.shift * image.shape[flow.axis]))
    for order in (1, 2):
        share = np.float32(flow.pulsation / order)
        for moved in (step * order, -step * order):
            out += share * np.roll(added, moved, axis=flow.axis)
    return _measured(image, out.astype(np.float32, copy=False), fluid, white, brain)


def apply_unsuppressed(
    image: Float32, failed: Unsuppressed, spacing_mm: Three, fluid: Mask, white: Mask, brain: Mask
) -> FluidImage:
    """Bring fluid to its level, never below what it has; 0.3 s for 192x224x192.

    Raises
    ------
    ValueError
        if a mask is empty.
    """
    wanted: Float32 | np.float32 = np.float32(failed.level * _white_level(image, white, fluid))
    if failed.unevenness:
        rng = np.random.default_rng(failed.seed)
        field = spline_field(rng, _shape(image), UNEVEN_KNOT_MM / float(np.mean(spacing_mm)))
        wanted = wanted * np.clip(1 + np.float32(failed.unevenness) * field, 0, 2)
    soft = _soft(fluid)
    out = np.maximum(image, image * (1 - soft) + soft * wanted).astype(np.float32, copy=False)
    return _measured(image, out, fluid, white, brain)


def apply_slab(image: Float32, slab: Slab, brain: Mask) -> Corrupted:
    """Multiply by the profile; the brain's mean stays. Milliseconds."""
    n = image.shape[slab.axis]
    at = (np.arange(n) + 0.5) / n
    to_end = np.clip(np.minimum(at, 1 - at) / slab.width, 0, 1)
    profile = 1 - slab.roll_off * (1 - to_end * to_end * (3 - 2 * to_end))
    profile *= np.exp(slab.shading * (at - 0.5))
    shape = [1, 1, 1]
    shape[slab.axis] = n
    out = image * profile.astype(np.float32).reshape(shape)
    out *= np.float32(float(image[brain].mean()) / max(float(out[brain].mean()), 1e-6))
    return Corrupted(out, change_in(image, out, brain))


def fluid_level(image: Float32, fluid: Mask, white: Mask) -> float:
    """Median of the fluid over that of white matter.

    Raises
    ------
    ValueError
        if a mask is empty.
    """
    return float(np.median(image[fluid])) / max(_white_level(image, white, fluid), 1e-6)


def _white_level(image: Float32, white: Mask, fluid: Mask) -> float:
    if not white.any() or not fluid.any():
        raise ValueError("fluid is measured against white matter, but one of the masks is empty")
    return float(np.median(image[white]))


def _measured(before: Float32, after: Float32, fluid: Mask, white: Mask, brain: Mask) -> FluidImage:
    solid = brain & ~ndimage.binary_dilation(fluid)
    ghost = change_in(before, after, solid) if solid.any() else 0.0
    return FluidImage(after, ghost, fluid_level(after, fluid, white))


def _soft(mask: Mask) -> Float32:
    soft: Float32 = ndimage.gaussian_filter(mask.astype(np.float32), EDGE_VOXELS)
    return soft


def _near_base(brain: Mask, spacing_mm: float) -> Float32:
    """Weight of each height (1, 1, Z): 1 at the lowest brain, falling upwards."""
    levels = np.flatnonzero(brain.any(axis=(0, 1)))
    base = float(levels[0]) if levels.size else 0.0
    height = np.clip((np.arange(brain.shape[2]) - base) * spacing_mm, 0, None)
    weight: Float32 = np.exp(-0.5 * (height / RISE_MM) ** 2).astype(np.float32)
    return weight[None, None]


def _shape(image: Float32) -> Shape:
    x, y, z = image.shape
    return x, y, z
