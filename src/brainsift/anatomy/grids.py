"""From the 2 mm grid to the 4 mm grid and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import WORKING_SPACING_MM
from brainsift.anatomy.normalise import normalise

Float32 = NDArray[np.float32]
Box = tuple[slice, slice, slice]

COARSE_AFFINE = np.diag([2 * WORKING_SPACING_MM] * 3 + [1.0])
"""Voxel of the 4 mm grid → mm, 4x4."""


def coarse_image(image: Float32) -> Float32:
    """Average over 2x2x2 voxels and normalise again: what the network was trained on. Sizes must be even."""
    return normalise(pool(image) / np.float32(8))


def pool(image: NDArray[Any]) -> NDArray[Any]:
    """Sum over blocks of 2x2x2 voxels; masks are counted as uint8."""
    a = image.view(np.uint8) if image.dtype == bool else image
    a = a[::2] + a[1::2]
    a = a[:, ::2] + a[:, 1::2]
    result: NDArray[Any] = a[:, :, ::2] + a[:, :, 1::2]
    return result


def double(field: Float32) -> Float32:
    """Linear interpolation to twice the resolution, cell centres kept, (X, Y, Z) → (2X, 2Y, 2Z)."""
    for axis in range(3):
        wide = np.empty([n * (2 if a == axis else 1) for a, n in enumerate(field.shape)], np.float32)
        source, target = np.moveaxis(field, axis, 0), np.moveaxis(wide, axis, 0)
        near, far = np.float32(0.75) * source, np.float32(0.25) * source
        np.add(near[1:], far[:-1], out=target[2::2])
        np.add(near[:-1], far[1:], out=target[1:-1:2])
        target[0], target[-1] = source[0], source[-1]
        field = wide
    return field


def fine(box: Box) -> Box:
    """A box of the 4 mm grid on the 2 mm grid."""
    x, y, z = (slice(2 * s.start, 2 * s.stop) for s in box)
    return x, y, z
