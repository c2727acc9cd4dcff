"""The box around the brain on the 1 mm grid: what the network sees in one piece, so that no seam can show."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box
from brainsift.anatomy.framing import Frame

Float64 = NDArray[np.float64]

MARGIN_MM = 4.0
"""Around the brain of the anatomy pass: two of its voxels, by which its border may err."""

MAX_MM = 240.0
"""No brain is longer; a larger box would be one of a failed anatomy pass, and cost memory."""


def brain_box(anatomy: Anatomy, affine: Float64, shape: tuple[int, int, int], multiple_of: int) -> Frame:
    """Box of voxels of another grid that holds the brain.

    Parameters
    ----------
    affine, shape : of the other grid; 4x4 voxel to scan mm.
    multiple_of : sizes are rounded up to it; the box then reaches over the grid's border where it must.

    Raises
    ------
    ValueError
        if the anatomy pass found no brain.
    """
    box = bounding_box(anatomy.brain)
    if any(side.stop <= side.start for side in box):
        raise ValueError("there is no brain to draw a box around")
    corners = np.array(list(product(*((side.start - 0.5, side.stop - 0.5) for side in box))))
    index = np.linalg.inv(affine) @ anatomy.affine
    reached = corners @ index[:3, :3].T + index[:3, 3] + 0.5
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    low, high = reached.min(axis=0) - MARGIN_MM / spacing, reached.max(axis=0) + MARGIN_MM / spacing
    sides = [_side(low[a], high[a], shape[a], MAX_MM / spacing[a], multiple_of) for a in range(3)]
    (x, nx), (y, ny), (z, nz) = sides
    return Frame((x, y, z), (nx, ny, nz))


def _side(low: float, high: float, size: int, longest: float, multiple_of: int) -> tuple[int, int]:
    """First voxel and length, within the grid as far as it goes."""
    first, last = max(0, int(np.floor(low))), min(size, int(np.ceil(high)))
    last = max(last, first + 1)
    length = min(-(-(last - first) // multiple_of), max(1, int(longest) // multiple_of)) * multiple_of
    start = (first + last - length) // 2
    if length <= size:
        start = min(max(start, 0), size - length)
    return start, length
