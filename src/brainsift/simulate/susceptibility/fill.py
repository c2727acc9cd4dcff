"""How much of each voxel thin tubes fill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.susceptibility.grid import Grid
from brainsift.simulate.susceptibility.vessels import Tube

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

POINT_MM = 0.35
"""Between the points that stand for a tube."""


@dataclass(frozen=True, eq=False)
class Filled:
    """Fine voxels that tubes fill in part: flat indices (n,), and the share of each, float32 (n,), above 0 up to 1."""

    at: NDArray[np.int64]
    share: Float32

    def mix(self, image: Float32, value: float) -> None:
        """Replace that share of a fine image by `value`, in place."""
        flat = image.reshape(-1)
        here = flat[self.at]
        flat[self.at] = here + self.share * (np.float32(value) - here)

    def seen(self, grid: Grid) -> Float32:
        """Share of each voxel of the scan, (X, Y, Z)."""
        voxel = list(np.unravel_index(self.at, grid.fine_shape))
        weight = self.share
        if grid.sheets > 1:
            sheet = voxel[grid.slice_axis] % grid.sheets
            voxel[grid.slice_axis] = voxel[grid.slice_axis] // grid.sheets
            weight = weight * grid.seen[sheet]
        total = np.zeros(int(np.prod(grid.shape)), np.float32)
        np.add.at(total, np.ravel_multi_index(tuple(voxel), grid.shape), weight)
        return total.reshape(grid.shape)


def fill_tubes(tubes: Sequence[Tube], grid: Grid) -> Filled:
    """Fill fine voxels with tubes; the tubes' volume is kept, however thin they are."""
    axes = [part for tube in tubes if (part := _resampled(tube, grid.head_mm)) is not None]
    if not axes:
        return Filled(np.zeros(0, np.int64), np.zeros(0, np.float32))
    at, volume = _points(np.concatenate(axes), grid.head_mm)
    return _spread(grid.to_fine(at), volume / float(np.prod(grid.fine_mm)), grid.fine_shape)


def _resampled(tube: Tube, head_mm: float) -> Float64 | None:
    """Axis in head voxels, direction, radius in mm and length in mm of short pieces of a tube, (n, 8)."""
    if len(tube.axis) < 2:
        return None
    gaps = np.linalg.norm(np.diff(tube.axis, axis=0), axis=1) * head_mm
    along = np.concatenate([[0.0], np.cumsum(gaps)])
    if along[-1] <= 0:
        return None
    n = max(2, int(np.ceil(along[-1] / POINT_MM)))
    places = (np.arange(n) + 0.5) / n * along[-1]
    pieces = np.empty((n, 8))
    for i in range(3):
        pieces[:, i] = np.interp(places, along, tube.axis[:, i])
    pieces[1:, 3:6] = np.diff(pieces[:, :3], axis=0)
    pieces[0, 3:6] = pieces[1, 3:6]
    pieces[:, 6] = np.interp(places, along, tube.radius_mm)
    pieces[:, 7] = along[-1] / n
    return pieces


def _points(pieces: Float64, head_mm: float) -> tuple[Float64, Float64]:
    """Points (m, 3) in head voxels that fill pieces (n, 8), and the volume that each stands for, mm^3."""
    counts = np.maximum(1, np.ceil(np.pi * (pieces[:, 6] / POINT_MM) ** 2)).astype(int)
    of = np.repeat(np.arange(len(pieces)), counts)
    number = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    # Vogel's spiral spreads points evenly over a disc.
    turn, out = number * np.pi * (3 - np.sqrt(5)), np.sqrt((number + 0.5) / counts[of])
    direction = pieces[:, 3:6] / np.maximum(np.linalg.norm(pieces[:, 3:6], axis=1, keepdims=True), 1e-9)
    other = np.where(np.abs(direction[:, :1]) < 0.7, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(direction, other)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-9)
    second = np.cross(direction, first)
    reach = np.where(counts[of] > 1, out * pieces[of, 6] / head_mm, 0.0)[:, None]
    at = pieces[of, :3] + reach * (np.cos(turn)[:, None] * first[of] + np.sin(turn)[:, None] * second[of])
    volume = np.pi * pieces[:, 6] ** 2 * pieces[:, 7] / counts
    return at, volume[of]


def _spread(at: Float64, weight: Float64, shape: tuple[int, int, int]) -> Filled:
    """Sum weights onto the eight voxels around each point; what lies outside is dropped."""
    inside = ((at >= 0) & (at < np.asarray(shape) - 1)).all(axis=1)
    at, weight = at[inside], weight[inside].astype(np.float32)
    low = np.floor(at).astype(np.int64)
    part = (at - low).astype(np.float32)
    flat = np.ravel_multi_index(tuple(low.T), shape)
    total = np.zeros(int(np.prod(shape)), np.float32)
    strides = (shape[1] * shape[2], shape[2], 1)
    for corner in np.ndindex(2, 2, 2):
        share = weight.copy()
        for axis, far in enumerate(corner):
            share *= part[:, axis] if far else 1 - part[:, axis]
        np.add.at(total, flat + int(np.dot(corner, strides)), share)
    found = np.flatnonzero(total)
    return Filled(found, np.minimum(total[found], np.float32(1)))
