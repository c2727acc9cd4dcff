"""The voxels that are marked as lesion, as a list: all figures of a scan are sums over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.tasks.wmh.native import STEP, NativeMap

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEFAULT_THRESHOLD = 0.5
"""For a model whose file names none."""

DEFAULT_MIN_MM3 = 3.0
"""Smaller lesions are not counted: three voxels of 1 mm, less than a rater marks. For a model whose file names none."""


@dataclass(frozen=True, eq=False)
class Marked:
    """Marked voxels of the scan's own grid, in C order.

    Attributes
    ----------
    mask : bool (x, y, z), in the box of the map.
    index : int (N, 3), voxels of the whole scan in RAS order, as in `Volume.data`.
    mm : float64 (N, 3), their centres in scan mm.
    probability : float32 (N,).
    lesion : int (N,), number of the 26-connected lesion that a voxel belongs to, from 0 in the order of size.
    voxel_mm3 : volume of a voxel.
    """

    mask: Mask
    index: NDArray[np.intp]
    mm: Float64
    probability: Float32
    lesion: NDArray[np.intp]
    voxel_mm3: float

    @property
    def count(self) -> int:
        """Number of lesions."""
        return int(self.lesion.max(initial=-1)) + 1

    @property
    def volume_mm3(self) -> float:
        """Marked voxels times the volume of a voxel: the one rule for every volume of this task."""
        return len(self.index) * self.voxel_mm3


def mark(native: NativeMap, threshold: float = DEFAULT_THRESHOLD, min_mm3: float = DEFAULT_MIN_MM3) -> Marked:
    """Voxels that reach a threshold, without lesions smaller than `min_mm3`.

    Raises
    ------
    ValueError
        if the threshold is not between 0 and 1.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must lie between 0 and 1, got {threshold}")
    mask, number = _lesions(native.at_least(threshold), max(1, int(np.ceil(min_mm3 / native.voxel_mm3 - 1e-9))))
    inside = np.argwhere(mask)
    mm = inside @ native.affine[:3, :3].T + native.affine[:3, 3]
    probability = native.levels[mask].astype(np.float32) * np.float32(STEP)
    index = inside + [side.start for side in native.box]
    return Marked(mask, index, mm, probability, number, native.voxel_mm3)


def _lesions(mask: Mask, min_voxels: int) -> tuple[Mask, NDArray[np.intp]]:
    """What is left without small pieces, and the number of its piece for each voxel left, the largest first."""
    from scipy.ndimage import label

    pieces, _ = label(mask, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(pieces.reshape(-1), minlength=1)
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] >= min_voxels]
    place = np.full(len(sizes), -1, np.intp)
    place[order] = np.arange(len(order))
    kept = place[pieces] >= 0
    return kept, place[pieces[kept]]
