"""What is kept of a scan to learn from: the network's input in bytes, and what is known of its lesions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.wmh.geometry import CoarseLabel
from brainsift.scans.conform import resample_linear
from brainsift.tasks.wmh.network import CHANNELS, Prepared

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

LEVELS = 255


@dataclass(frozen=True, eq=False)
class Example:
    """One scan with one label.

    Attributes
    ----------
    t1w : uint8 (X, Y, Z), the first of `CHANNELS` times 255.
    anatomy : uint8 (channels - 1, X/2, Y/2, Z/2), the others, averaged over 2x2x2 voxels as the network does first.
    affine : 4x4, voxel → scan mm.
    person : whose head it is; nobody may be on both sides of a split.
    truth : uint8 (X, Y, Z), share of each voxel that is lesion times 255; None where nobody knows.
    coarse : the label drawn on slices; None where there is none.
    facts : what was drawn or read, for tables.
    """

    t1w: UInt8
    anatomy: UInt8
    affine: Float64
    person: str
    truth: UInt8 | None = None
    coarse: CoarseLabel | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(X, Y, Z)."""
        x, y, z = self.t1w.shape
        return x, y, z

    def whole(self) -> Float32:
        """The network's input for the whole brain, float32 (channels, X, Y, Z)."""
        return assemble(self.t1w, self.anatomy)

    def to_fine(self) -> Float64:
        """Voxel of the coarse label → voxel of the T1w, 4x4.

        Raises
        ------
        ValueError
            if there is no coarse label.
        """
        if self.coarse is None:
            raise ValueError(f"the example of {self.person} has no coarse label")
        return np.linalg.inv(self.affine) @ self.coarse.affine


def assemble(t1w: UInt8, anatomy: UInt8) -> Float32:
    """Bytes as the network's input, float32 (channels, X, Y, Z); the anatomy is repeated over 2x2x2 voxels."""
    result = np.empty((len(CHANNELS), *t1w.shape), np.float32)
    result[0] = t1w
    for axis in (1, 2, 3):
        anatomy = anatomy.repeat(2, axis=axis)
    result[1:] = anatomy
    result /= LEVELS
    return result


def make_example(
    prepared: Prepared,
    person: str,
    *,
    truth: tuple[Float32, Float64] | None = None,
    coarse: CoarseLabel | None = None,
    facts: dict[str, Any] | None = None,
) -> Example:
    """An example of what inference would see.

    Parameters
    ----------
    truth : share of each voxel that is lesion, on any grid, and the affine of that grid in the same mm as the scan's.
    """
    x, y, z = prepared.input.shape[1:]
    halves = prepared.input[1:].reshape(-1, x // 2, 2, y // 2, 2, z // 2, 2).mean(axis=(2, 4, 6))
    share = None
    if truth is not None:
        share = resample_linear(np.ascontiguousarray(truth[0], np.float32), truth[1], (x, y, z), prepared.affine)
    return Example(
        _bytes(prepared.input[0]),
        _bytes(halves),
        prepared.affine,
        person,
        None if share is None else _bytes(np.clip(share, 0, 1)),
        coarse,
        facts or {},
    )


def _bytes(values: Float32) -> UInt8:
    rounded: UInt8 = np.rint(values * np.float32(LEVELS)).astype(np.uint8)
    return rounded
