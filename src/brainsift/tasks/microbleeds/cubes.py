"""Small cubes around candidates, in millimetres: what the discriminator looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainsift.tasks.microbleeds.vesselness import vesselness

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

CUBE_MM = 16.0
"""Width: room for a large bleed, or for a vein to be seen going on. 16 mm gained 0.05 in F1 elsewhere."""

CUBE_VOXELS = 24
CUBE_VOXEL_MM = CUBE_MM / CUBE_VOXELS

CUBE_CHANNELS = ("image", "frst", "vesselness")

BORDER_VOXELS = 4
"""Around the cube, for the filters behind vesselness: two and more standard deviations."""

BATCH = 64
"""Cubes that are filtered at a time: 40 MB of work space."""


def cut_cubes(channels: Float32, centres: Float64, spacing_mm: Sequence[float]) -> Float32:
    """Cubes around places, linearly interpolated; the border value goes on outside of the grid.

    Parameters
    ----------
    channels : float32 (2, X, Y, Z): image and radial symmetry.
    centres : (N, 3), voxels of that grid; a cube's middle lies between its two middle voxels.
    spacing_mm : of the three axes.

    Returns
    -------
    float32 (N, 3, `CUBE_VOXELS`, `CUBE_VOXELS`, `CUBE_VOXELS`); see `CUBE_CHANNELS`.
    """
    result = np.empty((len(centres), len(CUBE_CHANNELS), *(CUBE_VOXELS,) * 3), np.float32)
    inner = slice(BORDER_VOXELS, -BORDER_VOXELS)
    for first in range(0, len(centres), BATCH):
        wide = np.stack([_sample(channels, centre, spacing_mm) for centre in centres[first : first + BATCH]])
        part = result[first : first + BATCH]
        part[:, :2] = wide[:, :, inner, inner, inner]
        part[:, 2] = vesselness(wide[:, 0], CUBE_VOXEL_MM)[:, inner, inner, inner]
    return result


def _sample(channels: Float32, centre: Float64, spacing_mm: Sequence[float]) -> Float32:
    """The cube and its border, float32 (2, n, n, n)."""
    wide = CUBE_VOXELS + 2 * BORDER_VOXELS
    away_mm = (np.arange(wide) - (wide - 1) / 2) * CUBE_VOXEL_MM
    found = channels
    for axis in range(3):
        n = channels.shape[axis + 1]
        at = np.clip(centre[axis] + away_mm / spacing_mm[axis], 0, n - 1)
        low = np.minimum(at.astype(np.intp), max(n - 2, 0))
        high = np.minimum(low + 1, n - 1)
        share = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        found = (1 - share) * found.take(low, axis=axis + 1) + share * found.take(high, axis=axis + 1)
    return found
