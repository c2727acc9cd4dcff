"""Voxels of the working grid that are partly empty: stripping leaves exact zeros, and resampling mixes them in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import WORKING_SPACING_MM
from brainsift.anatomy.normalise import padding_value, sample_voxels
from brainsift.scans.conform import to_working_grid
from brainsift.scans.volume import Volume

Float32 = NDArray[np.float32]

MIN_FILLED = np.float32(0.5)
"""A voxel of the working grid belongs to the scan when at least this much of it does, so that volumes stay right."""


def fill_partly_empty(volume: Volume, grid: Float32) -> Float32:
    """Give voxels at the rim of a masked scan the brightness of their filled part (normalised averaging, Knutsson &
    Westin 1993, CVPR:515), and empty those that are filled by less than half.

    Half-empty cortex is as dark as fluid in a T1w scan, and would be taken for it.

    Parameters
    ----------
    volume : the scan.
    grid : (X, Y, Z), the scan on the working grid.

    Returns
    -------
    float32 (X, Y, Z); `grid` itself where the scan has no padding.
    """
    padding = padding_value(sample_voxels(grid))
    if padding is None:
        return grid
    empty = np.float32(padding)
    filled, _ = to_working_grid(replace(volume, data=(volume.data != empty).astype(np.float32)), WORKING_SPACING_MM)
    solid = filled >= MIN_FILLED
    result = np.full_like(grid, empty)
    result[solid] = empty + (grid[solid] - empty) / filled[solid]
    return result
