"""What a defacing tool acts on: head, brain, the places of the face's features, and the way to MNI152."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


ROUGH_MM = 2.0
"""Grid for what is smooth."""

SKIN_GRID_MM = 3.0
"""Grid for the depth below the skin, which is interpolated."""

CLOSING_STEPS = 4
"""Of a voxel of `ROUGH_MM` each: sulci are closed up to 16 mm wide."""


class Region(IntEnum):
    """A part of the face; left and right are told apart, for one eye left is an eye left."""

    OTHER = 0
    EYE_LEFT = 1
    EYE_RIGHT = 2
    NOSE = 3
    MOUTH = 4
    EAR_LEFT = 5
    EAR_RIGHT = 6
    BROW = 7
    CHEEKS = 8


@dataclass(frozen=True, eq=False)
class HeadGeometry:
    """A head on the grid of its scan.

    Attributes
    ----------
    brain : bool (X, Y, Z), brain with its ventricles.
    head : bool (X, Y, Z), all that is not air.
    regions : uint8 (X, Y, Z) of `Region`.
    to_mni : 4x4, voxel → mm of MNI152.
    spacing_mm : (3,).
    """

    brain: Mask
    head: Mask
    regions: NDArray[np.uint8]
    to_mni: Float64
    spacing_mm: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(X, Y, Z) in voxels."""
        x, y, z = self.brain.shape
        return x, y, z

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return float(np.prod(self.spacing_mm)) / 1000

    def every(self, steps: tuple[int, int, int], starts: tuple[int, int, int] = (0, 0, 0)) -> HeadGeometry:
        """Every n-th voxel along each axis, from `starts` on."""
        part = tuple(slice(start, None, step) for start, step in zip(starts, steps, strict=True))
        move = np.diag([*map(float, steps), 1.0])
        move[:3, 3] = starts
        x, y, z = (s * n for s, n in zip(self.spacing_mm, steps, strict=True))
        return HeadGeometry(
            self.brain[part], self.head[part], self.regions[part], np.asarray(self.to_mni @ move), (x, y, z)
        )

    @cached_property
    def rough(self) -> HeadGeometry:
        """Voxels of about `ROUGH_MM`: enough to tell whether a draw does what it should, in milliseconds."""
        x, y, z = (max(1, round(ROUGH_MM / s)) for s in self.spacing_mm)
        return self.every((x, y, z))

    @cached_property
    def brain_depth(self) -> tuple[tuple[int, int, int], Float32]:
        """Depth in mm below the brain's outer surface, its sulci closed, on every n-th voxel: steps and depths."""
        x, y, z = (max(1, round(ROUGH_MM / s)) for s in self.spacing_mm)
        brain = self.brain[::x, ::y, ::z]
        spacing = [s * n for s, n in zip(self.spacing_mm, (x, y, z), strict=True)]
        closed = brain | ndimage.binary_closing(brain, iterations=CLOSING_STEPS)
        # The brain goes on beyond the field of view: what ends there is no surface.
        depth = ndimage.distance_transform_edt(np.pad(closed, 1, mode="edge"), sampling=spacing)[1:-1, 1:-1, 1:-1]
        return (x, y, z), (depth - min(spacing) / 2).astype(np.float32).clip(0)

    @cached_property
    def depth_below_skin(self) -> Float32:
        """Distance in mm of each voxel of the head to the air around it, float32 (X, Y, Z); 0 or so in air."""
        steps = [max(1, round(SKIN_GRID_MM / s)) for s in self.spacing_mm]
        spacing = [s * n for s, n in zip(self.spacing_mm, steps, strict=True)]
        head = self.head[tuple(slice(None, None, n) for n in steps)]
        # Sinuses and the throat are no surface that anybody sees, and the field of view ends inside the neck.
        closed = np.pad(ndimage.binary_closing(head, iterations=2), ((0, 0), (0, 0), (1, 0)), mode="edge")
        solid = np.pad(ndimage.binary_fill_holes(closed), 1, mode="edge")
        depth = ndimage.distance_transform_edt(solid, sampling=spacing)[1:-1, 1:-1, 2:-1]
        fine: Float32 = ndimage.affine_transform(
            depth.astype(np.float32), [1 / n for n in steps], output_shape=self.shape, order=1, mode="nearest"
        )
        return fine

    def mni(self, frame: Float64 | None = None) -> tuple[Float32, Float32, Float32]:
        """Coordinates of all voxels in MNI152, mm, three float32 (X, Y, Z); `frame` (4x4, mm → mm) moves them on."""
        affine = self.to_mni if frame is None else frame @ self.to_mni
        x, y, z = (np.arange(n, dtype=np.float32) for n in self.shape)
        a = affine.astype(np.float32)
        first, second, third = (
            (a[i, 0] * x + a[i, 3])[:, None, None] + (a[i, 1] * y[:, None] + a[i, 2] * z)[None] for i in range(3)
        )
        return first, second, third
