"""From the fine grid to the slices of a label: what a prediction would look like to the person who drew the label.

Nothing is asked of the fine grid but to be consistent with the coarse label (our reading of Thyreau et al. 2022, Human
Brain Mapping 43:3998, whose exact loss is not known to us).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.wmh.geometry import CoarseLabel, Profile, sub_samples

Float64 = NDArray[np.float64]

BORDER_VOXELS = 1e-3
"""A sample this far outside of the fine grid is taken to lie on its border: affines round."""


@dataclass(frozen=True, eq=False)
class Coarsener:
    """The linear map from a fine grid to some voxels of a coarse label.

    Attributes
    ----------
    places : float32 (S, I, J, K, 3), fine coordinates of every sample, as `grid_sample` wants them.
    weights : float32 (S,), summing to 1.
    seen : bool (I, J, K), whether all samples of a coarse voxel lie on the fine grid.
    box : which voxels of the label these are.
    """

    places: Tensor
    weights: Tensor
    seen: Tensor
    box: tuple[slice, slice, slice]

    def __call__(self, fine: Tensor) -> Tensor:
        """Mean of a fine map (X, Y, Z) over what each coarse voxel has seen, (I, J, K); differentiable."""
        s, i, j, k, _ = self.places.shape
        sampled = F.grid_sample(
            fine[None, None], self.places.reshape(1, s * i, j, k, 3), padding_mode="border", align_corners=True
        )
        return torch.einsum("sijk,s->ijk", sampled.reshape(s, i, j, k), self.weights)

    def to(self, device: str) -> Coarsener:
        """The same on another device."""
        return replace(self, places=self.places.to(device), weights=self.weights.to(device), seen=self.seen.to(device))


def lay_label(
    label: CoarseLabel, to_fine: Float64, shape: tuple[int, int, int], profile: Profile = "boxcar"
) -> Coarsener | None:
    """Lay a fine grid of `shape` through a label; None where no coarse voxel is wholly seen.

    Parameters
    ----------
    to_fine : 4x4, voxel of the label → voxel of the fine grid.
    """
    box = _reached(label, to_fine, shape)
    if box is None:
        return None
    offsets, weights = sub_samples(label, to_fine, profile)
    index = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), axis=-1)
    places = (index[None] + offsets[:, None, None, None]) @ to_fine[:3, :3].T + to_fine[:3, 3]
    last = np.asarray(shape) - 1.0
    seen = ((places >= -BORDER_VOXELS) & (places <= last + BORDER_VOXELS)).all(axis=(0, -1))
    if not seen.any():
        return None
    # `grid_sample` counts from -1 to 1, the last axis first.
    scaled = 2 * places / np.maximum(last, 1) - 1
    return Coarsener(
        torch.from_numpy(scaled[..., ::-1].astype(np.float32)),
        torch.from_numpy(weights.astype(np.float32)),
        torch.from_numpy(seen),
        box,
    )


def _reached(label: CoarseLabel, to_fine: Float64, shape: tuple[int, int, int]) -> tuple[slice, slice, slice] | None:
    """Box of the coarse voxels whose centres can lie on the fine grid."""
    back = np.linalg.inv(to_fine)
    corners = np.stack(np.meshgrid(*[(0.0, n - 1.0) for n in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    reached = corners @ back[:3, :3].T + back[:3, 3]
    low = np.maximum(np.ceil(reached.min(axis=0) - BORDER_VOXELS), 0).astype(int)
    high = np.minimum(np.floor(reached.max(axis=0) + BORDER_VOXELS) + 1, label.mask.shape).astype(int)
    if (high <= low).any():
        return None
    x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return x, y, z
