"""Where the voxels of a coarse label lie, and what of the head each of them has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

Profile = Literal["boxcar", "gaussian"]
"""How a slice weighs what it is thick: evenly, or as a bell whose width at half height is the thickness."""


@dataclass(frozen=True, eq=False)
class CoarseLabel:
    """A label drawn on slices, in the geometry of the slices.

    Attributes
    ----------
    mask : uint8 (I, J, K), 0 or 1.
    affine : 4x4, voxel → scan mm of the T1w; oblique slices are welcome.
    axis : across the slices.
    thickness_mm : of a slice; what is left of the distance between slices is gap, which nobody has seen.
    """

    mask: UInt8
    affine: Float64
    axis: int
    thickness_mm: float

    @property
    def spacing(self) -> Float64:
        """Distance from voxel to voxel, mm, (3,)."""
        lengths: Float64 = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return lengths

    @property
    def extent(self) -> Float64:
        """What a voxel has seen, in voxels, (3,): 1, and less than 1 across slices with a gap."""
        seen = np.ones(3)
        seen[self.axis] = self.thickness_mm / self.spacing[self.axis]
        return seen

    @property
    def volume_ml(self) -> float:
        """Volume of the label, gaps counted as the slice beside them."""
        return float(np.count_nonzero(self.mask) * abs(np.linalg.det(self.affine[:3, :3])) / 1000)


def coarse_label(mask: NDArray[np.integer], affine: Float64, thickness_mm: float | None = None) -> CoarseLabel:
    """A label with the axis of its slices found: the one along which voxels lie farthest apart.

    Parameters
    ----------
    thickness_mm : of a slice; as far as slices lie apart where it is not known, that is without a gap.

    Raises
    ------
    ValueError
        if the mask is not 3D, or slices are thicker than they lie apart by more than rounding.
    """
    if mask.ndim != 3:
        raise ValueError(f"a label has three dimensions, got shape {mask.shape}")
    spacing = np.sqrt((np.asarray(affine, float)[:3, :3] ** 2).sum(axis=0))
    axis = int(spacing.argmax())
    apart = float(spacing[axis])
    if thickness_mm is None:
        thickness_mm = apart
    if not 0 < thickness_mm <= apart * (1 + OVERLAP):
        raise ValueError(f"slices that lie {apart:.2f} mm apart cannot be {thickness_mm:.2f} mm thick")
    return CoarseLabel((mask > 0).astype(np.uint8), np.asarray(affine, float), axis, min(thickness_mm, apart))


OVERLAP = 0.05
"""Headers round: slices of 3 mm that lie 2.98 mm apart do not overlap."""


def sub_samples(label: CoarseLabel, to_fine: Float64, profile: Profile = "boxcar") -> tuple[Float64, Float64]:
    """Places within a coarse voxel that stand for all of it.

    They lie about one fine voxel apart, each in the middle of an equal part: where slices are whole numbers of fine
    voxels that the parts fall upon, their mean is the mean of those voxels.

    Parameters
    ----------
    to_fine : 4x4, coarse voxel → fine voxel.

    Returns
    -------
    offsets, weights : (S, 3) in coarse voxels from the centre, and (S,), summing to 1.
    """
    steps = np.sqrt((to_fine[:3, :3] ** 2).sum(axis=0))
    axes, weights = [], []
    for axis, extent in enumerate(label.extent):
        bell = profile == "gaussian" and axis == label.axis
        reach = 2 * extent if bell else extent
        count = max(1, round(float(steps[axis] * reach)))
        places = ((np.arange(count) + 0.5) / count - 0.5) * reach
        weight = np.exp(-4 * np.log(2) * (places / extent) ** 2) if bell else np.ones(count)
        axes.append(places)
        weights.append(weight / weight.sum())
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    joint = np.einsum("i,j,k->ijk", *weights).reshape(-1)
    return offsets, joint
