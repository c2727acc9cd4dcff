"""A head painted with what a gradient echo sees of it: susceptibility and signal, before any vessel or bleed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.separable import spline_field
from brainsift.simulate.susceptibility.frame import Frame
from brainsift.simulate.susceptibility.tissue import Look

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Triple = tuple[float, float, float]

MIDBRAIN = (16, 28, 60)
CEREBELLAR_WHITE = (7, 46)
BONE = (515, 516)
AIR, FAT = 0, 511
SPECK_MM3 = 800.0
"""Skull, sinuses, scalp and the air around hang together; a smaller piece of air, bone or fat by itself is a speck."""

AROUND_MM = 9.0
"""Side of the cube that tells whether a speck lies in the brain and its fluid, or outside."""
IRON_LABELS = (12, 13, 51, 52)
"""Putamen and pallidum: dark in age, in one patch each."""

NUCLEI: dict[str, tuple[str, Triple, Triple, tuple[int, ...]]] = {
    "nigra": ("nigra", (10, -17, -12), (4.5, 6.0, 3.0), MIDBRAIN),
    "red_nucleus": ("nigra", (5, -21, -9), (2.8, 2.8, 3.2), MIDBRAIN),
    "dentate": ("dentate", (15, -58, -34), (6.0, 8.0, 5.0), CEREBELLAR_WHITE),
}
"""Nuclei that label maps do not hold: tissue, right-sided centre and half axes in MNI152, mm, and the labels that they
lie in (Keuken 2014, NeuroImage 94:40; Diedrichsen 2011, NeuroImage 54:1786; rounded)."""

AIR_CELLS: tuple[tuple[Triple, Triple], ...] = (
    ((50, -30, -40), (13, 17, 15)),
    ((24, -12, -44), (10, 8, 8)),
    ((8, 62, -6), (12, 8, 14)),
)
"""Mastoid and petrous cells and the frontal sinus: centre and half axes in MNI152, mm, right side. Label maps made from
T1w scans call them bone, for both are dark there."""


@dataclass(frozen=True)
class Cavities:
    """Drawn air: share of the bone in each of `AIR_CELLS` that is air, the size of a cell in mm, and a seed."""

    share: Triple
    cell_mm: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_cavities(rng: np.random.Generator) -> Cavities:
    """Draw how much of the bone around the ears and the forehead is air."""
    a, b, c = (float(v) for v in rng.uniform((0.3, 0.0, 0.0), (0.9, 0.5, 0.9)))
    return Cavities((a, b, c), float(rng.uniform(3, 7)), int(rng.integers(2**31)))


@dataclass(frozen=True, eq=False)
class Painted:
    """Maps on the head's grid: susceptibility in ppm and signal, float32; where iron gathers, bool."""

    chi_ppm: Float32
    signal: Float32
    iron: Mask


def paint_head(frame: Frame, look: Look, cavities: Cavities) -> Painted:
    """Paint a head."""
    head = frame.head
    chi_of, signal_of = look.tables(head.values)
    chi, signal = chi_of[head.codes], signal_of[head.codes]
    _fill_specks(head, look, chi, signal)
    iron = np.isin(head.values, IRON_LABELS)[head.codes]
    for tissue, centre, radii, labels in NUCLEI.values():
        for side in (-1, 1):
            box, inside = frame.ellipsoid((side * centre[0], *centre[1:]), radii)
            inside = inside & np.isin(head.values, labels)[head.codes[box]]
            chi[box][inside], signal[box][inside] = look.chi_ppm[tissue], look.signal[tissue]
            iron[box] |= inside
    _add_air(frame, look, cavities, chi, signal)
    x, y, z = head.codes.shape
    rng = np.random.default_rng(look.seed)
    texture = spline_field(rng, (x, y, z), max(look.texture_mm / head.spacing_mm, 1.5))
    signal *= np.float32(1) + np.float32(look.texture) * texture
    return Painted(chi, np.maximum(signal, 0, out=signal), iron)


def _fill_specks(head: LabelMap, look: Look, chi: Float32, signal: Float32) -> None:
    """Make specks of air and bone what is around them, in place: label maps have some in fluid and fat, and one voxel
    of air would look like a large bleed."""
    hard = np.isin(head.values, (AIR, *BONE, FAT))[head.codes]
    pieces, _ = ndimage.label(hard)
    small = np.bincount(pieces.ravel()) * head.spacing_mm**3 < SPECK_MM3
    small[0] = False
    at = np.flatnonzero(small[pieces])
    is_brain, is_csf = brain_and_csf(head.values)
    width = max(3, 2 * round(AROUND_MM / head.spacing_mm / 2) + 1)
    wet = ndimage.uniform_filter((is_brain | is_csf).astype(np.float32)[head.codes], width, mode="nearest").ravel()[at]
    for tissue, where in (("csf", at[wet > 0.5]), ("muscle", at[wet <= 0.5])):
        chi.ravel()[where], signal.ravel()[where] = look.chi_ppm[tissue], look.signal[tissue]


def _add_air(frame: Frame, look: Look, cavities: Cavities, chi: Float32, signal: Float32) -> None:
    rng = np.random.default_rng(cavities.seed)
    for (centre, radii), share in zip(AIR_CELLS, cavities.share, strict=True):
        for side in (-1, 1):
            box, inside = frame.ellipsoid((side * centre[0], *centre[1:]), radii)
            inside = inside & np.isin(frame.head.values, BONE)[frame.head.codes[box]]
            if not inside.any():
                continue
            x, y, z = inside.shape
            cells = spline_field(rng, (x, y, z), cavities.cell_mm / frame.head.spacing_mm)
            air = inside & (cells >= np.quantile(cells[inside], 1 - share))
            chi[box][air], signal[box][air] = look.chi_ppm["air"], look.signal["air"]
