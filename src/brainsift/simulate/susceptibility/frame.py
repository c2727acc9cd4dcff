"""Places of MNI152 in a head's voxels, and what lies there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainsift.simulate.deface.frame import frame_of
from brainsift.simulate.labelmap import LabelMap

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

BRAIN_CENTRE_MM = (0.0, -20.0, 5.0)
"""Of MNI152, to place a head whose deep structures are not labelled."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A head with its place in MNI152: `to_mni` takes voxels to mm, `to_head` mm to voxels, both 4x4."""

    head: LabelMap
    to_mni: Float64
    to_head: Float64

    def voxels(self, mni: ArrayLike) -> Float64:
        """Points (..., 3) of MNI152 in voxels of the head."""
        at: Float64 = np.asarray(mni, float) @ self.to_head[:3, :3].T + self.to_head[:3, 3]
        return at

    def mni(self, voxels: ArrayLike) -> Float64:
        """Voxels (..., 3) of the head in mm of MNI152."""
        at: Float64 = np.asarray(voxels, float) @ self.to_mni[:3, :3].T + self.to_mni[:3, 3]
        return at

    def lies_in(self, voxels: Float64, labels: tuple[int, ...]) -> Mask:
        """Whether points (..., 3), in voxels, lie in some labels; those outside of the grid do not."""
        nearest = np.rint(voxels).astype(int)
        inside: Mask = np.asarray(((nearest >= 0) & (nearest < self.head.codes.shape)).all(axis=-1))
        x, y, z = np.moveaxis(np.where(inside[..., None], nearest, 0), -1, 0)
        wanted = np.isin(self.head.values, labels)
        return np.asarray(inside & wanted[self.head.codes[x, y, z]])

    def ellipsoid(self, centre_mm: ArrayLike, radii_mm: ArrayLike) -> tuple[tuple[slice, slice, slice], Mask]:
        """Voxels of an ellipsoid along the axes of MNI152: a box of the head's grid, and the mask in it."""
        centre, radii = np.asarray(centre_mm, float), np.asarray(radii_mm, float)
        corners = np.stack(np.meshgrid(*[(-r, r) for r in radii], indexing="ij"), axis=-1).reshape(-1, 3)
        at = self.voxels(centre + corners)
        x, y, z = (
            slice(max(0, int(np.floor(low))), max(0, min(n, int(np.ceil(high)) + 1)))
            for low, high, n in zip(at.min(axis=0), at.max(axis=0), self.head.codes.shape, strict=True)
        )
        voxels = np.stack(np.meshgrid(*[np.arange(s.start, s.stop) for s in (x, y, z)], indexing="ij"), axis=-1)
        away = (self.mni(voxels) - centre) / radii
        return (x, y, z), np.asarray((away * away).sum(axis=-1) < 1)


def make_frame(head: LabelMap) -> Frame:
    """Place a head by its deep structures, or by its centre where they are not labelled."""
    try:
        to_mni = frame_of(head)
    except ValueError:
        to_mni = np.diag([head.spacing_mm] * 3 + [1.0])
        to_mni[:3, 3] = np.asarray(BRAIN_CENTRE_MM) - head.spacing_mm * head.centre
    to_head: Float64 = np.linalg.inv(to_mni).astype(np.float64)
    return Frame(head, to_mni, to_head)
