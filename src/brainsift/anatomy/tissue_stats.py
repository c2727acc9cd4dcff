"""How bright each class is in this scan: median and spread over the inner voxels, in the scan's own units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import TissueStats
from brainsift.anatomy.labels import Tissue

MAD_TO_SD = 1.4826
"""Median absolute deviation → standard deviation of a normal distribution."""

MIN_INNER_VOXELS = 50
"""With fewer voxels left after erosion (0.4 mL) the class is measured whole; a cortex of 2.5 mm has hardly an inside
at 2 mm."""


def inner_voxels(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Voxels whose six neighbours carry the same label; the border of the grid is never inner."""
    same = np.zeros(labels.shape, dtype=np.bool_)
    if min(labels.shape) < 3:
        return same
    centre = labels[1:-1, 1:-1, 1:-1]
    inner = np.ones(centre.shape, dtype=np.bool_)
    for axis in range(3):
        for side in (slice(0, -2), slice(2, None)):
            neighbour = tuple(side if a == axis else slice(1, -1) for a in range(3))
            inner &= labels[neighbour] == centre
    same[1:-1, 1:-1, 1:-1] = inner
    return same


def tissue_statistics(labels: NDArray[np.uint8], image: NDArray[np.float32]) -> dict[str, TissueStats]:
    """Statistics of every class that is there; both arrays (X, Y, Z)."""
    flat, values, inner = labels.reshape(-1), image.reshape(-1), inner_voxels(labels).reshape(-1)
    result = {}
    for tissue in Tissue:
        index = np.flatnonzero(flat == tissue)
        core = index[inner[index]]
        chosen = core if len(core) >= MIN_INNER_VOXELS else index
        if len(chosen):
            median = float(np.median(values[chosen]))
            mad = float(np.median(np.abs(values[chosen] - np.float32(median)))) * MAD_TO_SD
            result[tissue.name.lower()] = TissueStats(len(chosen), median, mad)
    return result
