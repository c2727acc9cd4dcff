"""Labels from one grid to another by nearest neighbour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sample_nearest(
    labels: NDArray[Any], affine: NDArray[np.float64], shape: tuple[int, int, int], target: NDArray[np.float64]
) -> NDArray[Any]:
    """Value of `labels` at the centre of each voxel of another grid; 0 outside.

    Parameters
    ----------
    labels : (X, Y, Z) on the grid of `affine` (voxel → mm).
    shape, target : the other grid and its affine (voxel → mm).
    """
    step = np.linalg.inv(affine) @ target
    out = np.zeros(shape, dtype=labels.dtype)
    i, j = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    limits = np.asarray(labels.shape)[:, None, None]
    # Slice by slice: the coordinates of a whole 512 x 512 x 200 scan would take more than a gigabyte.
    for k in range(shape[2]):
        at = np.tensordot(step[:3, :2], np.stack([i, j]), axes=1) + (step[:3, 2] * k + step[:3, 3])[:, None, None]
        index = np.rint(at).astype(np.int64)
        inside = ((index >= 0) & (index < limits)).all(axis=0)
        index = np.where(inside, index, 0)
        out[:, :, k] = np.where(inside, labels[tuple(index)], 0)
    return out
