"""What a crop is held against: the coarse label by way of its slices, or one of the ways that people did before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from brainsift.evaluate.segmentation.lesions import CONNECTED
from brainsift.learn.wmh.coarse import Coarsener, lay_label
from brainsift.learn.wmh.crops import Cut
from brainsift.learn.wmh.example import LEVELS, Example
from brainsift.learn.wmh.geometry import CoarseLabel, Profile
from brainsift.learn.wmh.losses import DenseTarget, Link, SliceTarget, Target

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

Supervision = Literal["coarse", "upsampled", "nearest", "fine"]
"""``coarse``: predictions pass through the slices and are compared there. ``upsampled``: the label is interpolated
linearly to the fine grid. ``nearest``: fine voxels next to the middle of a slice are compared with it, the others not.
``fine``: the truth on the fine grid, which only simulation has."""

SUPERVISIONS: tuple[Supervision, ...] = get_args(Supervision)


LARGE_VOXELS, MOST_WEIGHT = 300, 4.0
"""Voxels of lesions smaller than this count for more, since a voxel in a confluent lesion and the whole of a small one
would weigh the same otherwise: after 5,500 steps without this, of lesions of 30 to 100 mm³ one in ten was found and of
larger ones half."""

HALF = 0.5


def needs_truth(supervision: Supervision) -> bool:
    """Whether the truth on the fine grid is needed."""
    return supervision == "fine"


def make_target(
    examples: Sequence[Example],
    cuts: Sequence[Cut],
    weights: Sequence[float],
    supervision: Supervision,
    *,
    link: Link = "share",
    profile: Profile = "boxcar",
    even: bool = False,
) -> Target:
    """The target of a batch of crops.

    Parameters
    ----------
    weights : of each example's label, at least 0.
    even : voxels of small lesions weigh no more than others. Labels on slices never weigh them; where supervisions are
        compared, the truth must not either.

    Raises
    ------
    ValueError
        if an example does not have what `supervision` needs.
    """
    if supervision == "coarse":
        laid = [_on_slices(example, cut, profile) for example, cut in zip(examples, cuts, strict=True)]
        return SliceTarget([coarsen for coarsen, _ in laid], [label for _, label in laid], list(weights), link)
    pairs = [_dense(example, cut, supervision, even) for example, cut in zip(examples, cuts, strict=True)]
    target = np.stack([values for values, _ in pairs])[:, None]
    known = np.stack([np.float32(w) * where for w, (_, where) in zip(weights, pairs, strict=True)])[:, None]
    return DenseTarget(torch.from_numpy(target), torch.from_numpy(known))


def lesion_weights(share: Float32) -> Float32:
    """Weight of each voxel, float32 (x, y, z): more in small lesions, 1 elsewhere.

    After Shirokikh 2020, MICCAI (Universal loss reweighting to balance lesion size inequality), but held back: by the
    root of the volume, and at the most `MOST_WEIGHT`.
    """
    weights = np.ones(share.shape, np.float32)
    pieces, count = ndimage.label(share > HALF, CONNECTED)
    if count:
        sizes = np.bincount(pieces.reshape(-1))
        sizes[0] = LARGE_VOXELS
        weights = np.clip(np.sqrt(LARGE_VOXELS / sizes), 1, MOST_WEIGHT).astype(np.float32)[pieces]
    return weights


def _on_slices(example: Example, cut: Cut, profile: Profile) -> tuple[Coarsener | None, Tensor | None]:
    coarsen = lay_label(_coarse(example), cut.to_crop() @ example.to_fine(), cut.shape, profile)
    if coarsen is None:
        return None, None
    return coarsen, torch.from_numpy(_coarse(example).mask[coarsen.box].astype(np.float32))


def _coarse(example: Example) -> CoarseLabel:
    if example.coarse is None:
        raise ValueError(f"the example of {example.person} has no coarse label; give one, or learn from the truth")
    return example.coarse


def _dense(example: Example, cut: Cut, supervision: Supervision, even: bool) -> tuple[Float32, Float32]:
    """Target and where it is known, float32 (x, y, z)."""
    if supervision == "fine":
        if example.truth is None:
            raise ValueError(f"the truth of {example.person} is not known on the fine grid; learn from coarse labels")
        share = np.ascontiguousarray(cut.take(example.truth)).astype(np.float32) / np.float32(LEVELS)
        return share, np.ones_like(share) if even else lesion_weights(share)
    label = _coarse(example)
    to_coarse = np.linalg.inv(cut.to_crop() @ example.to_fine())
    mask = label.mask.astype(np.float32)
    order: Literal[0, 1] = 1 if supervision == "upsampled" else 0
    at = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in cut.shape), indexing="ij"))
    voxels = np.tensordot(to_coarse[:3, :3], at, axes=1) + to_coarse[:3, 3].reshape(3, 1, 1, 1)
    inside = np.ones(cut.shape, bool)
    for axis, size in enumerate(mask.shape):
        inside &= (voxels[axis] >= -0.5) & (voxels[axis] <= size - 0.5)
    target = ndimage.map_coordinates(mask, voxels, order=order, mode="nearest").astype(np.float32)
    if supervision == "nearest":
        across = voxels[label.axis]
        fine_mm = float(np.sqrt((example.affine[:3, 0] ** 2).sum()))
        inside &= np.abs(across - np.rint(across)) * label.spacing[label.axis] <= fine_mm / 2 + NEAR_MM
    return target, inside.astype(np.float32)


NEAR_MM = 1e-3
"""Rounding: a slice's middle may lie exactly between two fine voxels, and then both are next to it."""
