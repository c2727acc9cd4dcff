"""The part of the working grid that the network sees: the head with a little air, in a size that the network takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.normalise import normalise

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

MULTIPLE = 16
"""The network halves the grid four times."""

MAX_VOXELS = 128
"""256 mm at 2 mm: no head is longer; what lies beyond is neck and shoulders."""

MARGIN_VOXELS = 4
FOREGROUND_LEVEL = 0.08
"""Of the normalised image: above the noise in air, below any tissue that matters for finding the head."""

MIN_PLANE_VOXELS = 25
"""A plane of the grid belongs to the head when this many voxels (1 cm²) are foreground; fewer are noise or a cable."""


@dataclass(frozen=True)
class Frame:
    """A box of voxels of a grid, which may reach outside of it.

    Attributes
    ----------
    start : first voxel along each axis, may be negative.
    shape : voxels along each axis, multiples of `MULTIPLE`.
    """

    start: tuple[int, int, int]
    shape: tuple[int, int, int]

    def cut(self, array: NDArray[Any]) -> NDArray[Any]:
        """The voxels of the box, 0 where it reaches outside `array`."""
        result = np.zeros(self.shape, dtype=array.dtype)
        source, place = self._overlap(array.shape)
        result[place] = array[source]
        return result

    def inside(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Where the box lies on a grid of `shape`; bool of `self.shape`."""
        result = np.zeros(self.shape, dtype=np.bool_)
        result[self._overlap(shape)[1]] = True
        return result

    def affine(self, affine: Float64) -> Float64:
        """Affine of the box, given that of the grid (4x4, voxel → mm)."""
        moved = affine.copy()
        moved[:3, 3] += affine[:3, :3] @ np.asarray(self.start, dtype=np.float64)
        return moved

    def _overlap(self, shape: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        first = [max(0, s) for s in self.start]
        last = [min(n, s + k) for n, s, k in zip(shape, self.start, self.shape, strict=True)]
        source = tuple(slice(a, max(a, b)) for a, b in zip(first, last, strict=True))
        place = tuple(slice(a.start - s, a.stop - s) for a, s in zip(source, self.start, strict=True))
        return source, place


def frame_head(image: Float32) -> Frame:
    """Find the head on the working grid (RAS, third axis up) and the box around it.

    A field of view that is longer than a head is cut below: the head is at the upper end.
    """
    foreground = normalise(image) > FOREGROUND_LEVEL
    bottom, top = _extent(foreground, 2)
    bottom = max(bottom, top - MAX_VOXELS)
    head = foreground[:, :, bottom:top]
    spans = [_limit(*_extent(head, axis), head, axis) for axis in (0, 1)]
    spans.append((bottom, top))
    boxes = [_widen(low, high, size) for (low, high), size in zip(spans, image.shape, strict=True)]
    (x, nx), (y, ny), (z, nz) = boxes
    return Frame((x, y, z), (nx, ny, nz))


def _extent(mask: NDArray[np.bool_], axis: int) -> tuple[int, int]:
    """First and one-past-last plane that holds enough foreground; all planes where none does."""
    others = tuple(a for a in range(3) if a != axis)
    full = int(np.prod([mask.shape[a] for a in others]))
    planes = np.flatnonzero(mask.sum(axis=others) >= min(MIN_PLANE_VOXELS, max(1, full // 4)))
    return (int(planes[0]), int(planes[-1]) + 1) if len(planes) else (0, mask.shape[axis])


def _limit(low: int, high: int, mask: NDArray[np.bool_], axis: int) -> tuple[int, int]:
    """Shrink a span that is wider than a head to one around the centre of the foreground."""
    if high - low <= MAX_VOXELS:
        return low, high
    profile = mask.sum(axis=tuple(a for a in range(3) if a != axis)).astype(np.float64)
    centre = round(float(np.average(np.arange(len(profile)), weights=profile + 1e-9)))
    low = int(np.clip(centre - MAX_VOXELS // 2, low, high - MAX_VOXELS))
    return low, low + MAX_VOXELS


def _widen(low: int, high: int, size: int) -> tuple[int, int]:
    """Start and length of the box: the span, a margin of air where the grid has it, rounded up to `MULTIPLE`."""
    want = min(high + MARGIN_VOXELS, size) - max(low - MARGIN_VOXELS, 0)
    length = min(-(-want // MULTIPLE) * MULTIPLE, MAX_VOXELS)
    start = (low + high - length) // 2
    if length <= size:
        start = min(max(start, 0), size - length)
    return start, length
