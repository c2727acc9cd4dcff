"""Registration: a smooth displacement that brings the soft labels of one head onto those of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float32 = NDArray[np.float32]

SMOOTHING_VOXELS = 1.5
"""Of the displacement: features finer than about four voxels are left to the probabilities."""

LARGEST_STEP_VOXELS = 0.5
"""An iteration moves no further, so that the displacement keeps from folding."""


def warp(channels: Float32, displacement: Float32) -> Float32:
    """Sample `channels` (K, X, Y, Z) at each voxel plus `displacement` (3, X, Y, Z) in voxels."""
    at = np.indices(channels.shape[1:], dtype=np.float32) + displacement
    return np.stack([ndimage.map_coordinates(c, at, order=1, mode="nearest") for c in channels])


def register(fixed: Float32, moving: Float32, start: Float32, valid: Float32, iterations: int) -> Float32:
    """Find the displacement that makes ``warp(moving, displacement)`` look like `fixed`.

    Thirion's demons over several channels at once (Thirion 1998, Med Image Anal 2:243): voxels of one class attract
    each other, and the field is smoothed after each step.

    Parameters
    ----------
    fixed, moving : float32 (K, X, Y, Z), share of each class.
    start : float32 (3, X, Y, Z), voxels.
    valid : float32 (X, Y, Z), 0 where `moving` has no data.

    Returns
    -------
    float32 (3, X, Y, Z), voxels.
    """
    gradient = np.stack([np.stack(np.gradient(c)) for c in fixed]).astype(np.float32)
    steepness = (gradient**2).sum(axis=(0, 1))
    displacement = start.copy()
    for _ in range(iterations):
        difference = (fixed - warp(moving, displacement)) * valid
        step = np.einsum("kxyz,kixyz->ixyz", difference, gradient)
        step /= steepness + (difference**2).sum(axis=0) + np.float32(1e-3)
        length = np.linalg.norm(step, axis=0)
        step *= np.minimum(1, LARGEST_STEP_VOXELS / np.maximum(length, 1e-6))
        displacement += step
        displacement = np.stack([ndimage.gaussian_filter(d, SMOOTHING_VOXELS) for d in displacement])
    return displacement
