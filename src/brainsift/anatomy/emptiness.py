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


def filled_share(volume: Volume, grid: Float32) -> Float32 | None:
    """Share of each voxel of the working grid that holds measured values, float32 (X, Y, Z) in [0, 1]; None where the
    scan has no padding.

    Parameters
    ----------
    volume : the scan.
    grid : (X, Y, Z), the scan on the working grid.
    """
    padding = padding_value(sample_voxels(grid))
    if padding is None:
        return None
    measured = (volume.data != np.float32(padding)).astype(np.float32)
    share, _ = to_working_grid(replace(volume, data=measured), WORKING_SPACING_MM)
    return share


def fill_partly_empty(grid: Float32, filled: Float32 | None) -> Float32:
    """Give voxels at the rim of a masked scan the brightness of their filled part (normalised averaging, Knutsson &
    Westin 1993, CVPR:515), and empty those that are filled by less than half.

    Half-empty cortex is as dark as fluid in a T1w scan, and would be taken for it.

    Parameters
    ----------
    grid : (X, Y, Z), the scan on the working grid.
    filled : of `filled_share`.

    Returns
    -------
    float32 (X, Y, Z); `grid` itself where the scan has no padding.
    """
    padding = padding_value(sample_voxels(grid))
    if padding is None or filled is None:
        return grid
    empty = np.float32(padding)
    solid = filled >= MIN_FILLED
    result = np.full_like(grid, empty)
    result[solid] = empty + (grid[solid] - empty) / filled[solid]
    return result
