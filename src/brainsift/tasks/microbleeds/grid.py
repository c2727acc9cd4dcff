"""The brain on the network's grid: fine within slices, coarser across, whichever way the slices lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box
from brainsift.scans.conform import conform
from brainsift.scans.volume import Volume

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

SPACING_MM = (0.75, 0.75, 1.5)
"""Of the network's grid: along the two axes of a slice, and across. Scans have 0.5 to 1 mm in plane; slices of 1 to
2 mm keep what they show, thicker ones show no more."""

MULTIPLE_OF = (16, 16, 8)
"""The network folds and halves the grid."""

MARGIN_MM = 6.0
"""Around the brain of the anatomy pass, whose border may err by a voxel or two of 2 mm, and for the radii."""

MAX_MM = 216.0
"""No brain is longer than 200 mm; a larger box would be one of a failed anatomy pass, and cost memory."""

MIN_ANISOTROPY = 1.2
"""From here on the longest side of a voxel is the distance of slices; below, slices are taken as axial."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The part of a scan that holds the brain, resampled.

    Attributes
    ----------
    values : float32 (X, Y, Z), in the scan's own units, 0 where not `inside`; the third axis runs across slices.
    affine : 4x4, voxel → scan mm.
    inside : bool (X, Y, Z), within the field of view.
    """

    values: Float32
    affine: Float64
    inside: NDArray[np.bool_]


def slice_axis(volume: Volume) -> int:
    """The axis of `Volume.data` across slices: the coarsest by far, or the third."""
    order = np.argsort(volume.spacing)
    clear = volume.spacing[order[2]] > MIN_ANISOTROPY * volume.spacing[order[1]]
    return int(order[2]) if clear else 2


def cut_brain(volume: Volume, anatomy: Anatomy, wanted: NDArray[np.bool_]) -> Grid:
    """Cut the brain out of a scan, along the scan's own axes, slices last.

    Parameters
    ----------
    wanted : bool, on the grid of the anatomy: what must be in it, the brain at least.

    Raises
    ------
    ValueError
        if the anatomy pass found no brain, or the scan does not reach it.
    """
    part = _around(volume, anatomy, wanted)
    across = slice_axis(volume)
    order = [axis for axis in range(3) if axis != across] + [across]
    spacing = np.empty(3)
    spacing[order] = SPACING_MM
    values, affine = conform(part, spacing.tolist())
    values, affine = values.transpose(order), affine[:, [*order, 3]]
    shape = [-(-n // multiple) * multiple for n, multiple in zip(values.shape, MULTIPLE_OF, strict=True)]
    before = [(want - have) // 2 for want, have in zip(shape, values.shape, strict=True)]
    place = tuple(slice(b, b + n) for b, n in zip(before, values.shape, strict=True))
    whole, inside = np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    whole[place], inside[place] = values, True
    moved = affine.copy()
    moved[:3, 3] -= affine[:3, :3] @ np.asarray(before, np.float64)
    return Grid(whole, moved, inside)


def _around(volume: Volume, anatomy: Anatomy, wanted: NDArray[np.bool_]) -> Volume:
    """The scan's voxels around the brain, as a scan of their own."""
    box = bounding_box(wanted)
    if any(side.stop <= side.start for side in box):
        raise ValueError("there is no brain to draw a box around")
    corners = np.array(list(product(*((side.start - 0.5, side.stop - 0.5) for side in box))))
    index = np.linalg.inv(volume.affine) @ anatomy.affine
    reached = corners @ index[:3, :3].T + index[:3, 3] + 0.5
    low, high = reached.min(axis=0) - MARGIN_MM / volume.spacing, reached.max(axis=0) + MARGIN_MM / volume.spacing
    sides = [_side(low[a], high[a], volume.shape[a], MAX_MM / volume.spacing[a]) for a in range(3)]
    affine = volume.affine.copy()
    affine[:3, 3] += volume.affine[:3, :3] @ [side.start for side in sides]
    return replace(volume, data=volume.data[tuple(sides)], affine=affine)


def _side(low: float, high: float, size: int, longest: float) -> slice:
    """Voxels of one axis, within the scan; around their middle where they are more than any brain has."""
    first, last = max(0, int(np.floor(low))), min(size, int(np.ceil(high)))
    if last <= first:
        raise ValueError("the scan does not reach the brain that was found in it")
    if last - first > longest:
        middle = (first + last) // 2
        first, last = max(0, middle - int(longest) // 2), min(size, middle + int(longest) // 2)
    return slice(first, last)
