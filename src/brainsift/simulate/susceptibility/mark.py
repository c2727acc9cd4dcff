"""What a rater would mark of a bleed in the GRE, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.susceptibility.blob import Blob, Spot
from brainsift.simulate.susceptibility.grid import Grid

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]

EDGE_SHARE = 0.4
"""A rater's outline runs where this share of the most that is lost is lost: around the whole of the dark spot."""


@dataclass(frozen=True)
class Bleed:
    """One microbleed.

    Attributes
    ----------
    number : from 1 on, its value in the truth mask.
    voxel : (3,), centre in voxels of the scan.
    mm : (3,), the same in mm, RAS+.
    diameter_mm : of the blood itself.
    seen_diameter_mm : of the ball as large as what a rater marks in the GRE.
    susceptibility_ppm : of the blood over the tissue around.
    place : ``lobar``, ``deep`` or ``infratentorial``.
    region : finer, a key of `REGIONS`.
    """

    number: int
    voxel: tuple[float, float, float]
    mm: tuple[float, float, float]
    diameter_mm: float
    seen_diameter_mm: float
    susceptibility_ppm: float
    place: str
    region: str


@dataclass(frozen=True, eq=False)
class Mark:
    """A rater's mark: a box of the scan's grid, the mask in it, and the share of the signal that is lost at most."""

    box: Box
    mask: Mask
    lost: float


def mark_spot(spot: Spot, grid: Grid, blur_voxels: float) -> Mark:
    """Mark what a source takes from the magnitude: where it takes `EDGE_SHARE` of the most, in one piece."""
    sheets = [grid.sheets if axis == grid.slice_axis else 1 for axis in range(3)]
    x, y, z = (slice(s.start // n, s.stop // n) for s, n in zip(spot.box, sheets, strict=True))
    sigma = [0.0 if axis == grid.slice_axis else blur_voxels for axis in range(3)]
    real, imag = (
        ndimage.gaussian_filter(grid.down(np.ascontiguousarray(part)), sigma, mode="nearest", truncate=3.0)
        for part in (spot.factor.real, spot.factor.imag)
    )
    loss = 1 - np.hypot(real, imag)
    most = np.unravel_index(int(loss.argmax()), loss.shape)
    pieces, _ = ndimage.label(loss >= EDGE_SHARE * loss[most])
    return Mark((x, y, z), pieces == pieces[most], float(loss[most]))


def describe(number: int, blob: Blob, mark: Mark, grid: Grid, affine: Float64) -> Bleed:
    """What is known of a bleed that was marked."""
    volume = float(np.count_nonzero(mark.mask)) * float(np.prod(grid.voxel_mm))
    voxel = grid.to_scan(np.asarray(blob.at))
    mm = affine[:3, :3] @ voxel + affine[:3, 3]
    return Bleed(
        number=number,
        voxel=(float(voxel[0]), float(voxel[1]), float(voxel[2])),
        mm=(float(mm[0]), float(mm[1]), float(mm[2])),
        diameter_mm=blob.diameter_mm,
        seen_diameter_mm=float((6 * volume / np.pi) ** (1 / 3)),
        susceptibility_ppm=blob.chi_ppm,
        place=blob.place,
        region=blob.region,
    )
