"""One discrete lesion: an ellipsoid with an uneven surface, or the shape of a real one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.lesions.ground import Box, Ground
from brainsift.simulate.lesions.plan import Blob
from brainsift.simulate.lesions.shapes import ShapeBank
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]

ROOM_MM = 3.0
"""Kept around a lesion, so that its edge and a small growth fit."""

BUMP_SHARE = 0.8
"""Length over which the surface changes, relative to the mean radius: some bumps to a lesion."""

LEAST_BUMP_VOXELS = 1.5


def blob_field(ground: Ground, blob: Blob, bank: ShapeBank | None) -> tuple[Box, Float32]:
    """A box of the ground, and how far inside the lesion each of its voxels lies, mm, positive inside.

    Raises
    ------
    ValueError
        if the blob refers to a bank that was not given.
    """
    if blob.shape is not None and bank is None:
        raise ValueError(f"a lesion has the shape {blob.shape} of a bank, but the plan carries none")
    axes = np.asarray(blob.axes)
    half = _half_extent(blob, bank) + ROOM_MM / ground.spacing_mm * np.ones(3)
    x, y, z = (
        slice(max(0, int(c - h)), max(0, min(n, int(c + h) + 2)))
        for c, h, n in zip(blob.at, half / ground.spacing_mm, ground.shape, strict=True)
    )
    box = (x, y, z)
    points = np.stack(np.meshgrid(*[np.arange(s.start, s.stop) for s in box], indexing="ij")).astype(np.float32)
    if not points.size:
        return box, np.zeros(points.shape[1:], np.float32)
    points -= np.asarray(blob.at, np.float32).reshape(3, 1, 1, 1)
    own = np.einsum("ij,jxyz->ixyz", (axes * ground.spacing_mm).astype(np.float32), points)
    own /= np.asarray(blob.radii_mm, np.float32).reshape(3, 1, 1, 1)
    if blob.shape is None or bank is None:
        return box, _ellipsoid(ground, blob, own)
    shape = bank.shapes[blob.shape]
    middle = (np.asarray(shape.inside_mm.shape, np.float32) - 1) / 2
    at = own / np.float32(shape.spacing_mm) + middle.reshape(3, 1, 1, 1)
    outside = float(shape.inside_mm.min())
    inside = ndimage.map_coordinates(shape.inside_mm, at, order=1, mode="constant", cval=outside)
    stretched: Float32 = (inside * np.float32(np.mean(blob.radii_mm))).astype(np.float32)
    return box, stretched


def _half_extent(blob: Blob, bank: ShapeBank | None) -> NDArray[np.float64]:
    """Half the lesion's extent along the head's axes, mm, (3,)."""
    own = np.asarray(blob.radii_mm) * (1 + 2.5 * blob.roughness)
    if blob.shape is not None and bank is not None:
        shape = bank.shapes[blob.shape]
        own = np.asarray(blob.radii_mm) * np.asarray(shape.inside_mm.shape) * shape.spacing_mm / 2
    extent: NDArray[np.float64] = np.abs(np.asarray(blob.axes).T) @ own
    return extent


def _ellipsoid(ground: Ground, blob: Blob, own: Float32) -> Float32:
    """Distance along the radius from an ellipsoid whose radius varies smoothly over its surface."""
    mean = float(np.cbrt(np.prod(blob.radii_mm)))
    radius = np.sqrt((own**2).sum(axis=0))
    if blob.roughness:
        x, y, z = radius.shape
        scale = max(LEAST_BUMP_VOXELS, BUMP_SHARE * mean / ground.spacing_mm)
        bumps = spline_field(np.random.default_rng(blob.seed), (x, y, z), scale)
        radius = radius * np.exp(np.float32(blob.roughness) * bumps)
    inside: Float32 = ((1 - radius) * np.float32(mean)).astype(np.float32)
    return inside
