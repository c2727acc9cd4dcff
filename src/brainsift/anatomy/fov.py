"""The field of view as a geometric object: which points of space the scan saw, and through which face others leave
it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

INSIDE = -1
"""Value of `FieldOfView.face_of` for points that the scan saw."""


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """An oblique box of space: voxels `lower` to `upper` (edge coordinates) of the grid with this `affine`.

    Faces are numbered 0-5: low and high side of the first, second and third axis.

    Attributes
    ----------
    affine : 4x4, voxel → scan mm.
    lower, upper : (3,) first and one-past-last voxel along each axis.
    """

    affine: Float64
    lower: Float64
    upper: Float64

    @classmethod
    def of_grid(cls, shape: tuple[int, ...], affine: Float64) -> FieldOfView:
        """The whole of a grid with `shape` (X, Y, Z)."""
        return cls(affine, np.zeros(3), np.asarray(shape[:3], dtype=np.float64))

    @property
    def spacing(self) -> Float64:
        """Voxel size along the three axes, mm, shape (3,)."""
        spacing: Float64 = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return spacing

    def depths(self, points_mm: Float64) -> Float64:
        """Distance to each face in mm along its axis, negative outside. (N, 3) scan mm → (N, 6)."""
        to_voxel = np.linalg.inv(self.affine)
        voxels = points_mm @ to_voxel[:3, :3].T + to_voxel[:3, 3] + 0.5
        depths = np.empty((len(voxels), 6))
        depths[:, 0::2] = (voxels - self.lower) * self.spacing
        depths[:, 1::2] = (self.upper - voxels) * self.spacing
        return depths

    def holds(self, points_mm: Float64) -> NDArray[np.bool_]:
        """Whether the scan saw each point, (N, 3) scan mm → (N,)."""
        to_voxel = np.linalg.inv(self.affine)
        inside = np.ones(len(points_mm), np.bool_)
        for row, low, high in zip(to_voxel[:3], self.lower, self.upper, strict=True):
            voxel = points_mm @ row[:3] + (row[3] + 0.5)
            inside &= (voxel >= low) & (voxel <= high)
        return inside

    def face_of(self, points_mm: Float64) -> NDArray[np.intp]:
        """The face through which each point leaves the field of view by most, or `INSIDE`. (N, 3) → (N,)."""
        depths = self.depths(points_mm)
        faces: NDArray[np.intp] = depths.argmin(axis=1)
        faces[depths.min(axis=1) >= 0] = INSIDE
        return faces
