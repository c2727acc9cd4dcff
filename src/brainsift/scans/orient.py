"""Which stored axis becomes which RAS axis: permutations and flips only, nothing is resampled."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from brainsift.scans.errors import ScanError
from brainsift.scans.volume import Affine, Float32

MIN_DETERMINANT = 1e-3
"""Of the unit direction vectors: below it two axes are less than 0.06 degrees apart, and the grid has no volume."""

Axes = tuple[int, int, int]
Flips = tuple[bool, bool, bool]


def direction_cosines(affine: Affine) -> Affine:
    """Unit vectors of the voxel axes as columns, shape (3, 3); zero columns stay zero."""
    linear = affine[:3, :3]
    lengths = np.sqrt((linear**2).sum(axis=0))
    return linear / np.where(lengths > 0, lengths, 1.0)


def affine_is_usable(affine: Affine) -> bool:
    """Whether an affine (4, 4) is finite and spans a volume."""
    if not np.isfinite(affine).all():
        return False
    return bool(abs(np.linalg.det(direction_cosines(affine))) >= MIN_DETERMINANT)


def refuse_unusable(affine: Affine) -> None:
    """Raise `ScanError` ``bad_affine`` for an affine with NaN, zero or coplanar axes."""
    if not np.isfinite(affine).all():
        raise ScanError(
            "bad_affine", "The affine holds NaN or infinite values.", "Repair the header or convert again from DICOM."
        )
    if not affine_is_usable(affine):
        raise ScanError(
            "bad_affine",
            "The affine is degenerate: an axis is zero, or two axes are parallel.",
            "Repair the header or convert again from DICOM.",
        )


def closest_ras(affine: Affine) -> tuple[Axes, Flips]:
    """Find the permutation and flips that bring the stored axes closest to right, anterior, superior.

    Parameters
    ----------
    affine : 4x4, stored voxel to RAS+.

    Returns
    -------
    axes, flips : for each RAS axis the stored axis it comes from, and whether it runs backwards.
    """
    cosines = direction_cosines(affine)
    axes = max(permutations(range(3)), key=lambda p: sum(abs(cosines[ras, p[ras]]) for ras in range(3)))
    x, y, z = axes
    flips = tuple(bool(cosines[ras, stored] < 0) for ras, stored in enumerate((x, y, z)))
    return (x, y, z), (flips[0], flips[1], flips[2])


def to_ras(stored: Float32, axes: Axes, flips: Flips) -> Float32:
    """View a stored array (I, J, K) on its RAS axes (X, Y, Z), without copying."""
    return np.transpose(stored, axes)[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]


def ras_affine(affine: Affine, shape: tuple[int, int, int], axes: Axes, flips: Flips) -> Affine:
    """Affine (4, 4) of the RAS view of an array stored with `shape` and `affine`."""
    index = np.zeros((4, 4))
    index[3, 3] = 1.0
    for ras, (stored, flip) in enumerate(zip(axes, flips, strict=True)):
        index[stored, ras] = -1.0 if flip else 1.0
        index[stored, 3] = shape[stored] - 1 if flip else 0.0
    result: Affine = affine @ index
    return result


def obliqueness_deg(affine: Affine) -> float:
    """Largest angle in degrees between a voxel axis and the RAS axis that it is closest to."""
    axes, _ = closest_ras(affine)
    cosines = direction_cosines(affine)
    worst = min(abs(cosines[ras, stored]) for ras, stored in enumerate(axes))
    return float(np.degrees(np.arccos(min(1.0, worst))))


def corner_displacement_mm(first: Affine, second: Affine, shape: tuple[int, int, int]) -> float:
    """How far apart two affines put the same corner of the grid, the worst of the eight, in mm."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij")).reshape(3, -1)
    moved = (first - second) @ np.vstack([corners, np.ones(8)])
    return float(np.sqrt((moved[:3] ** 2).sum(axis=0)).max())
