"""How far places lie from a structure, finer than the voxels of the working grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box
from brainsift.anatomy.regions import MAX_DISTANCE_MM, spacing_mm

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

REACH_MM = 40.0
"""Distances are computed this far from the structure; beyond they are `MAX_DISTANCE_MM`."""


def border_distance(anatomy: Anatomy, structure: Mask) -> Float32:
    """Distance in mm from every voxel centre to the border of a structure, float32 (X, Y, Z); inside it the voxels
    say half a voxel below 0, so that the border lies at 0 between the centres.

    The distance of two voxel centres is longer than that of a centre and the border between them by half a voxel, 1 mm
    on this grid, which is a tenth of what makes white matter periventricular.
    """
    from scipy.ndimage import distance_transform_edt

    spacing = spacing_mm(anatomy)
    result = np.full(structure.shape, MAX_DISTANCE_MM, np.float32)
    if not structure.any():
        return result
    box = bounding_box(structure, margin=int(np.ceil(REACH_MM / spacing.min())))
    result[box] = distance_transform_edt(~structure[box], sampling=spacing)
    result[box] -= np.float32(spacing.mean() / 2)
    return result


def values_at(field: Float32, affine: Float64, points_mm: Float64, beyond: float) -> Float32:
    """Linear interpolation of a field (X, Y, Z) at places (N, 3) in scan mm, float32 (N,); `beyond` outside the grid.

    Parameters
    ----------
    affine : 4x4, voxel of the field → scan mm.
    """
    from scipy.ndimage import map_coordinates

    to_voxel = np.linalg.inv(affine)
    voxels = (points_mm @ to_voxel[:3, :3].T + to_voxel[:3, 3]).T
    found: Float32 = map_coordinates(field, voxels, order=1, mode="nearest", output=np.float32)
    limits = np.asarray(field.shape)[:, None] - 0.5
    outside = ((voxels < -0.5) | (voxels > limits)).any(axis=0)
    found[outside] = beyond
    return found


def voxels_at(shape: tuple[int, ...], affine: Float64, points_mm: Float64) -> tuple[NDArray[np.intp], ...]:
    """Voxels of a grid nearest to places (N, 3) in scan mm, three arrays (N,); places outside get the nearest voxel."""
    to_voxel = np.linalg.inv(affine)
    nearest = np.rint(points_mm @ to_voxel[:3, :3].T + to_voxel[:3, 3]).astype(np.intp)
    i, j, k = np.clip(nearest, 0, np.asarray(shape) - 1).T
    return i, j, k
