"""Some voxels of a grid with their neighbours.

What may lie inside the skull is a third of the box around it, so the work on seventeen structures is done on a list
of voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Voxels:
    """The voxels of a mask, by number in C order.

    Attributes
    ----------
    shape : of the grid.
    index : (N,) numbers of the voxels.
    halo : (M,) numbers of the voxels and of their face neighbours.
    here : (N,) position in `halo` of each voxel.
    before, after : (3, N) position in `halo` of its neighbours along each axis; at the grid's border, of the voxel.
    """

    shape: tuple[int, int, int]
    index: Index
    halo: Index
    here: Index
    before: Index
    after: Index

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Voxels:
        """The true voxels of a mask (X, Y, Z)."""
        x, y, z = mask.shape
        index = np.flatnonzero(mask)
        neighbours = np.empty((2, 3, len(index)), np.intp)
        for axis, (n, stride) in enumerate(zip(mask.shape, (y * z, z, 1), strict=True)):
            place = index // stride % n
            neighbours[0, axis] = index - stride * (place > 0)
            neighbours[1, axis] = index + stride * (place < n - 1)
        position = np.zeros(mask.size, np.intp)
        position[index] = 1
        position[neighbours.reshape(-1)] = 1
        halo = np.flatnonzero(position)
        position[halo] = np.arange(len(halo))
        before, after = position[neighbours]
        return cls((x, y, z), index, halo, position[index], before, after)

    def take(self, field: Float32) -> Float32:
        """Values of the voxels, (..., X, Y, Z) → (..., N)."""
        return field.reshape(*field.shape[:-3], -1)[..., self.index]

    def take_halo(self, field: Float32) -> Float32:
        """Values of the voxels and their neighbours, (..., X, Y, Z) → (..., M)."""
        return field.reshape(*field.shape[:-3], -1)[..., self.halo]

    def put(self, values: NDArray[Any], outside: float = 0.0) -> NDArray[Any]:
        """The grid that holds `values` (..., N), and `outside` elsewhere: (..., X, Y, Z)."""
        size = int(np.prod(self.shape))
        field = np.full((*values.shape[:-1], size), outside, values.dtype)
        field[..., self.index] = values
        return field.reshape(*values.shape[:-1], *self.shape)
