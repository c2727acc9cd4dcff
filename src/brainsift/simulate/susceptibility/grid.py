"""The grid on which field and signal are made: the scan's pixels, with its slices cut thinner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.conform import axis_weights, separable
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.susceptibility.scanner import Scanner

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Shape = tuple[int, int, int]

SHEET_MM = 1.1
"""Slices are cut into sheets of about this; within a sheet the phase is taken to change evenly."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A scan's grid and the finer one under it, over a head.

    Attributes
    ----------
    shape : of the scan.
    voxel_mm : (3,), of the scan.
    sheets : into which each slice is cut, along `slice_axis`.
    slice_axis : 0, 1 or 2.
    seen : (sheets,), weight of each sheet in the slice; what lies in a gap has 0.
    start_mm : (3,), edge of the first voxel, mm from the edge of the head's first voxel.
    head_shape, head_mm : of the head's grid.
    """

    shape: Shape
    voxel_mm: tuple[float, float, float]
    sheets: int
    slice_axis: int
    seen: Float32
    start_mm: Float64
    head_shape: tuple[int, ...]
    head_mm: float

    @property
    def fine_shape(self) -> Shape:
        """Of the grid with sheets for slices."""
        x, y, z = (n * (self.sheets if axis == self.slice_axis else 1) for axis, n in enumerate(self.shape))
        return x, y, z

    @property
    def fine_mm(self) -> tuple[float, float, float]:
        """Voxel size of that grid."""
        x, y, z = (mm / (self.sheets if axis == self.slice_axis else 1) for axis, mm in enumerate(self.voxel_mm))
        return x, y, z

    def up(self, painted: Float32) -> Float32:
        """A map of the head on the fine grid, interpolated or averaged."""
        weights = [
            axis_weights(n, self.head_mm, m, mm, float(start))
            for n, m, mm, start in zip(self.head_shape, self.fine_shape, self.fine_mm, self.start_mm, strict=True)
        ]
        return np.ascontiguousarray(separable(painted, weights))

    def onto_scan(self, painted: Float32) -> Float32:
        """A map of the head on the scan's grid, gaps not left out."""
        weights = [
            axis_weights(n, self.head_mm, m, mm, float(start))
            for n, m, mm, start in zip(self.head_shape, self.shape, self.voxel_mm, self.start_mm, strict=True)
        ]
        return np.ascontiguousarray(separable(painted, weights))

    def down(self, fine: Float32) -> Float32:
        """Average sheets (fine grid, or a part of it in whole slices) over what each slice sees."""
        if self.sheets == 1:
            return fine
        axis = self.slice_axis
        split = list(fine.shape)
        split[axis : axis + 1] = [fine.shape[axis] // self.sheets, self.sheets]
        parts = np.moveaxis(fine.reshape(split), axis + 1, 0)
        slices = self.seen[0] * parts[0]
        for weight, part in zip(self.seen[1:], parts[1:], strict=True):
            slices = slices + weight * part
        return np.ascontiguousarray(slices)

    def nearest(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of the head's grid on the scan's, the nearest voxel of each."""
        at = [
            np.clip(((np.arange(n) + 0.5) * mm + start) / self.head_mm, 0, m - 1).astype(int)
            for n, mm, start, m in zip(self.shape, self.voxel_mm, self.start_mm, self.head_shape, strict=True)
        ]
        return mask[np.ix_(*at)]

    def to_fine(self, head_voxels: Float64) -> Float64:
        """Voxels (..., 3) of the head's grid on the fine grid."""
        mm = (head_voxels + 0.5) * self.head_mm - self.start_mm
        fine: Float64 = mm / np.asarray(self.fine_mm) - 0.5
        return fine

    def to_scan(self, head_voxels: Float64) -> Float64:
        """Voxels (..., 3) of the head's grid on the scan's."""
        mm = (head_voxels + 0.5) * self.head_mm - self.start_mm
        scan: Float64 = mm / np.asarray(self.voxel_mm) - 0.5
        return scan

    def affine(self, scanner: Scanner) -> Float64:
        """Voxel of the scan → mm, RAS+ (4, 4); the origin is the middle of the head's grid."""
        affine = np.eye(4)
        first = self.start_mm + np.asarray(self.voxel_mm) / 2 - np.asarray(self.head_shape) * self.head_mm / 2
        affine[:3, :3] = scanner.turn @ np.diag(self.voxel_mm)
        affine[:3, 3] = scanner.turn @ first
        return affine


def lay_grid(head: LabelMap, scanner: Scanner) -> Grid:
    """Lay the scan's grid over the whole of a head's grid, in its middle."""
    extent = np.asarray(head.codes.shape) * head.spacing_mm
    voxel = np.asarray(scanner.voxel_mm)
    counts = np.maximum(1, np.floor(extent / voxel).astype(int))
    pitch = scanner.voxel_mm[scanner.slice_axis]
    sheets = max(1, round(pitch / SHEET_MM))
    edges = np.linspace(0, pitch, sheets + 1)
    low, high = scanner.gap_mm / 2, pitch - scanner.gap_mm / 2
    seen = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None)
    x, y, z = (int(n) for n in counts)
    return Grid(
        shape=(x, y, z),
        voxel_mm=scanner.voxel_mm,
        sheets=sheets,
        slice_axis=scanner.slice_axis,
        seen=(seen / seen.sum()).astype(np.float32),
        start_mm=(extent - counts * voxel) / 2,
        head_shape=head.codes.shape,
        head_mm=head.spacing_mm,
    )
