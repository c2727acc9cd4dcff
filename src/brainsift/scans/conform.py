"""Resampling to a working grid and back: one small matrix per axis, antialiased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.errors import ScanError
from brainsift.scans.orient import obliqueness_deg
from brainsift.scans.volume import Affine, Float32, Volume

MAX_TOLERATED_TILT_DEG = 20.0
"""Head tilt within the range that the networks are trained on; steeper grids are rotated onto the RAS axes."""

SAME_GRID_VOXELS = 1e-3
"""Two grids closer than this share of a voxel are one grid: float32 headers carry about this much rounding."""

PARTIAL_VOXEL = 0.01
"""A rest of the field of view thinner than this share of a target voxel gets no voxel of its own."""

BLOCK_ROWS = 16
"""Output rows per matrix product: skips most zeros of the banded matrix.

460x512x160 at 0.5x0.5x1 mm to 2 mm takes 61 to 84 ms on one core (benchmarks/bench_reading.py).
"""

MAX_GRID_VOXELS = 1 << 28
"""Of a working grid, 1 GiB of float32: a whole body at 1 mm. What asks for more has a false header."""

MAX_WEIGHTS = 1 << 24
"""Of the matrix of one axis, 128 MiB while it is built: 8,192 voxels to 2,048."""

Shape = tuple[int, int, int]


def refuse_huge(counts: Sequence[int], voxels_in: Sequence[int] = ()) -> None:
    """Refuse, before anything is allocated, a grid that no real scan needs.

    Parameters
    ----------
    counts : voxels of the grid along each axis.
    voxels_in : of the array that it is resampled from, axis by axis.

    Raises
    ------
    ScanError
        ``too_large``.
    """
    total = 1
    for count in counts:
        total *= int(count)
    if total > MAX_GRID_VOXELS or any(
        int(a) * int(b) > MAX_WEIGHTS for a, b in zip(counts, voxels_in, strict=bool(voxels_in))
    ):
        raise ScanError(
            "too_large",
            f"Its working grid would have {' x '.join(map(str, counts))} voxels.",
            "Repair the dimensions and voxel sizes, or cut the scan to the head.",
        )


def axis_weights(n_in: int, spacing_in: float, n_out: int, spacing_out: float, start: float) -> Float32:
    """Build the resampling matrix of one axis, float32 (n_out, n_in), rows summing to 1.

    Coarser targets average what each target voxel covers (area weights, no aliasing); finer ones interpolate linearly.
    The field of view is continued by its border value within the outermost target voxel.

    Parameters
    ----------
    n_in, n_out : voxels before and after.
    spacing_in, spacing_out : mm.
    start : edge of the first target voxel, mm from the edge of the first source voxel.
    """
    width = max(spacing_out, spacing_in)
    centres_out = start + (np.arange(n_out) + 0.5) * spacing_out
    edges_in = np.arange(n_in + 1) * spacing_in
    low, high = centres_out - width / 2, centres_out + width / 2
    overlap = np.minimum(high[:, None], edges_in[None, 1:]) - np.maximum(low[:, None], edges_in[None, :-1])
    weights = np.maximum(overlap, 0.0)
    totals = weights.sum(axis=1, keepdims=True)
    empty = totals[:, 0] <= 0
    weights[~empty] /= totals[~empty]
    matrix: Float32 = weights.astype(np.float32)
    return matrix


def apply_axis(array: Float32, weights: Float32, axis: int) -> Float32:
    """Multiply one axis of a C-contiguous float32 array (3D) by `weights` (n_out, n_in), band by band."""
    shape = array.shape
    rows, columns = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
    source = array.reshape(rows, shape[axis], columns)
    result = np.empty((rows, weights.shape[0], columns), dtype=np.float32)
    for first in range(0, weights.shape[0], BLOCK_ROWS):
        block = weights[first : first + BLOCK_ROWS]
        used = np.flatnonzero(block.any(axis=0))
        target = result[:, first : first + BLOCK_ROWS]
        if used.size == 0:
            target[:] = 0.0
            continue
        band = slice(int(used[0]), int(used[-1]) + 1)
        _product(source[:, band], np.ascontiguousarray(block[:, band]), target)
    return result.reshape(*shape[:axis], weights.shape[0], *shape[axis + 1 :])


def _product(source: Float32, block: Float32, target: Float32) -> None:
    if source.shape[2] == 1:
        target[:, :, 0] = source[:, :, 0] @ block.T
    elif source.shape[0] == 1:
        target[0] = block @ source[0]
    else:
        np.matmul(block, source, out=target)


def separable(array: Float32, weights: Sequence[Float32 | None]) -> Float32:
    """Apply one matrix per axis (None: leave), the axis that shrinks the array most first."""
    memory_order = np.argsort([-abs(stride) for stride in array.strides], kind="stable")
    work = np.ascontiguousarray(np.transpose(array, memory_order))
    position = {int(axis): place for place, axis in enumerate(memory_order)}
    todo = [(w.shape[0] / w.shape[1], axis, w) for axis, w in enumerate(weights) if w is not None]
    for _, axis, matrix in sorted(todo, key=lambda item: item[:2]):
        work = apply_axis(work, matrix, position[axis])
    return np.transpose(work, np.argsort(memory_order))


def target_count(n_in: int, spacing_in: float, spacing_out: float) -> int:
    """Voxels of `spacing_out` mm needed to cover `n_in` voxels of `spacing_in` mm."""
    return max(1, int(np.ceil(n_in * spacing_in / spacing_out - PARTIAL_VOXEL)))


def conform(
    volume: Volume, spacing_mm: float | Sequence[float], shape: Sequence[int] | None = None
) -> tuple[Float32, Affine]:
    """Resample to `spacing_mm` along the scan's own axes, centred on the same field of view.

    Parameters
    ----------
    volume : scan (X, Y, Z).
    spacing_mm : target voxel size, one number or three.
    shape : target shape; the rest of it is 0, the surplus is cut, both evenly. Default: the whole field of view.

    Returns
    -------
    array, affine : float32 and 4x4 voxel to scan mm; oblique and sheared affines stay exact.

    Raises
    ------
    ValueError
        if `spacing_mm` is not positive.
    ScanError
        ``too_large`` where the grid would fill the memory.
    """
    target = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), (3,))
    if not (np.isfinite(target) & (target > 0)).all():
        raise ValueError(f"spacing_mm must be positive and finite, got {spacing_mm}")
    ratios = target / volume.spacing
    counts = [target_count(n, s, t) for n, s, t in zip(volume.shape, volume.spacing, target, strict=True)]
    refuse_huge(counts, volume.shape)
    starts = (volume.extent_mm - counts * target) / 2
    weights = [
        None if _same(n, c, r) else axis_weights(n, s, c, t, o)
        for n, s, c, t, o, r in zip(volume.shape, volume.spacing, counts, target, starts, ratios, strict=True)
    ]
    array = separable(volume.data, weights)
    index = np.diag([*ratios, 1.0])
    index[:3, 3] = starts / volume.spacing + ratios / 2 - 0.5
    affine = volume.affine @ index
    return (array, affine) if shape is None else fit_shape(array, affine, shape)


def _same(n_in: int, n_out: int, ratio: float) -> bool:
    return n_in == n_out and abs(ratio - 1) * n_in < SAME_GRID_VOXELS


def fit_shape(array: NDArray[Any], affine: Affine, shape: Sequence[int]) -> tuple[NDArray[Any], Affine]:
    """Cut or pad with 0, evenly on both sides, to `shape`; the affine follows."""
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError(f"shape must be three positive numbers, got {tuple(shape)}")
    result = np.zeros(tuple(shape), dtype=array.dtype)
    shifts = [(have - want) // 2 for have, want in zip(array.shape, shape, strict=True)]
    source = tuple(slice(max(0, s), max(0, s) + min(h, w)) for s, h, w in zip(shifts, array.shape, shape, strict=True))
    place = tuple(slice(max(0, -s), max(0, -s) + min(h, w)) for s, h, w in zip(shifts, array.shape, shape, strict=True))
    result[place] = array[source]
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ np.asarray(shifts, dtype=np.float64)
    return result, moved


def to_working_grid(volume: Volume, spacing_mm: float = 2.0) -> tuple[Float32, Affine]:
    """Bring a scan to the grid of the anatomy pass: isotropic, within 20 degrees of RAS, 0 outside the field of view.

    Returns
    -------
    array, affine : float32 C-contiguous (X, Y, Z), 4x4 voxel to scan mm.
    """
    array, affine = conform(volume, spacing_mm)
    if obliqueness_deg(affine) > MAX_TOLERATED_TILT_DEG:
        array, affine = rotate_to_ras(array, affine, spacing_mm)
    return np.ascontiguousarray(array), affine


def rotate_to_ras(array: Float32, affine: Affine, spacing_mm: float) -> tuple[Float32, Affine]:
    """Resample linearly onto the smallest RAS-aligned grid that holds the whole field of view."""
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in array.shape], indexing="ij")).reshape(3, -1)
    world = affine[:3, :3] @ corners + affine[:3, 3:]
    low, high = world.min(axis=1), world.max(axis=1)
    counts = np.maximum(1, np.ceil((high - low) / spacing_mm - PARTIAL_VOXEL)).astype(int)
    refuse_huge(counts.tolist())
    target = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    target[:3, 3] = (low + high) / 2 - (counts - 1) * spacing_mm / 2
    shape: Shape = (int(counts[0]), int(counts[1]), int(counts[2]))
    return _transform(array, affine, shape, target, order=1).astype(np.float32, copy=False), target


def labels_to_input(labels: NDArray[np.uint8], affine: Affine, volume: Volume) -> NDArray[np.uint8]:
    """Bring labels from a working grid to the grid of `volume` by nearest neighbour; 0 outside the working grid.

    Parameters
    ----------
    labels : uint8 (x, y, z).
    affine : 4x4, label voxel to scan mm.

    Returns
    -------
    uint8 (X, Y, Z) on the RAS grid of `volume`; `volume.input_grid.restore` takes it to the stored order.
    """
    index = np.linalg.inv(affine) @ volume.affine
    if not _axis_aligned(index, volume.shape):
        return _transform(labels, affine, volume.shape, volume.affine, order=0)
    result = labels
    for axis in range(3):
        nearest = np.rint(index[axis, axis] * np.arange(volume.shape[axis]) + index[axis, 3]).astype(np.int64)
        inside = (nearest >= 0) & (nearest < labels.shape[axis])
        result = np.take(result, np.clip(nearest, 0, labels.shape[axis] - 1), axis=axis)
        if not inside.all():
            result[tuple(slice(None) if a != axis else ~inside for a in range(3))] = 0
    return result


def resample_linear(array: Float32, affine: Affine, shape: Shape, target: Affine) -> Float32:
    """Interpolate linearly from one grid to another; the border value goes half a voxel out, then 0.

    Parameters
    ----------
    array : float32 (x, y, z).
    affine, target : 4x4 voxel to mm of the source and of the result.
    shape : of the result.
    """
    index = np.linalg.inv(affine) @ target
    if not _axis_aligned(index, shape):
        return _transform(array, affine, shape, target, order=1).astype(np.float32, copy=False)
    weights = [_linear_weights(array.shape[a], shape[a], index[a, a], index[a, 3]) for a in range(3)]
    return separable(array, weights)


def _linear_weights(n_in: int, n_out: int, step: float, start: float) -> Float32:
    position = step * np.arange(n_out) + start
    inside = (position >= -0.5) & (position <= n_in - 0.5)
    position = np.clip(position, 0, n_in - 1)
    tent = np.maximum(0.0, 1 - np.abs(position[:, None] - np.arange(n_in))) * inside[:, None]
    matrix: Float32 = tent.astype(np.float32)
    return matrix


def _axis_aligned(index: Affine, shape: Shape) -> bool:
    """Whether an index map moves each axis along itself only, within a thousandth of a voxel over the grid."""
    off_axis = np.abs(index[:3, :3] - np.diag(np.diag(index[:3, :3])))
    return bool((off_axis @ np.asarray(shape, dtype=np.float64)).max() < SAME_GRID_VOXELS)


def _transform(array: NDArray[Any], affine: Affine, shape: Shape, target: Affine, order: Literal[0, 1]) -> NDArray[Any]:
    from scipy.ndimage import affine_transform

    index = np.linalg.inv(affine) @ target
    # "grid-constant" blends the border with 0 over half a voxel; "constant" would cut the outermost half voxel off.
    result: NDArray[Any] = affine_transform(
        array, index[:3, :3], index[:3, 3], output_shape=shape, order=order, mode="grid-constant", cval=0.0
    )
    return result
