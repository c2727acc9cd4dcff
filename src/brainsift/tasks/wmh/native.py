"""Lesion probability from the network's 1 mm box to the scan's own grid, and the mask that follows from it there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.conform import resample_linear
from brainsift.scans.volume import Volume

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]

LEVELS = 255
"""Steps in which probability is stored: a byte a voxel, 0.4 % apart, finer than any network is sure of itself."""

STEP = float(np.nextafter(np.float32(1 / LEVELS), np.float32(0)))
"""What a step is worth, as a NIfTI header can hold it (float32), rounded down so that no probability exceeds 1."""


@dataclass(frozen=True, eq=False)
class NativeMap:
    """Lesion probability in a box of the scan's own voxels; it is 0 outside of the box.

    Attributes
    ----------
    levels : uint8 (x, y, z), probability times `LEVELS`.
    box : of `Volume.data`.
    affine : 4x4, voxel of the box → scan mm.
    shape : of the whole scan.
    """

    levels: UInt8
    box: Box
    affine: Float64
    shape: tuple[int, int, int]

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel, sheared grids included."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def at_least(self, threshold: float) -> Mask:
        """Voxels of the box whose stored probability reaches a threshold; 0 probability never does."""
        level = max(1, int(np.ceil(threshold * LEVELS - 1e-9)))
        return np.asarray(self.levels >= level)

    def whole(self, part: NDArray[np.uint8] | Mask) -> UInt8:
        """An array of the box laid into the scan, uint8 (X, Y, Z), 0 elsewhere."""
        full = np.zeros(self.shape, np.uint8)
        full[self.box] = part
        return full


def to_native(probability: Float32, affine: Float64, volume: Volume) -> NativeMap:
    """Bring a probability map to the scan's own grid, linearly.

    The value at a voxel's centre is taken, also where voxels are coarser than the map: the expected volume of what is
    above a threshold is then that of the map, while averaging over thick slices would thin small lesions out.

    Parameters
    ----------
    probability : float32 (x, y, z) in [0, 1].
    affine : 4x4, its voxel → scan mm.
    """
    box = _reached(probability.shape, affine, volume)
    shape = (box[0].stop - box[0].start, box[1].stop - box[1].start, box[2].stop - box[2].start)
    here = volume.affine.copy()
    here[:3, 3] += volume.affine[:3, :3] @ [side.start for side in box]
    if 0 in shape:
        return NativeMap(np.zeros(shape, np.uint8), box, here, volume.shape)
    found = resample_linear(np.ascontiguousarray(probability, np.float32), affine, shape, here)
    np.multiply(found, np.float32(LEVELS), out=found)
    np.rint(found, out=found)
    levels = np.clip(found, 0, LEVELS, out=found).astype(np.uint8)
    return NativeMap(levels, box, here, volume.shape)


def _reached(shape: tuple[int, ...], affine: Float64, volume: Volume) -> Box:
    """The voxels of the scan that a grid reaches, none where they do not meet."""
    corners = np.array(list(product(*((-0.5, n - 0.5) for n in shape))))
    index = np.linalg.inv(volume.affine) @ affine
    reached = corners @ index[:3, :3].T + index[:3, 3]
    low = np.clip(np.floor(reached.min(axis=0)), 0, volume.shape).astype(int)
    high = np.clip(np.ceil(reached.max(axis=0)) + 1, low, volume.shape).astype(int)
    x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return x, y, z
