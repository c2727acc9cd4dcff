"""Losses of lesion probabilities against labels: cross-entropy and soft Dice, on slices or on the fine grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.wmh.coarse import Coarsener

Link = Literal["share", "rater"]
"""What a label says of the share of a coarse voxel that is lesion: ``share``, the share is 1 or 0; ``rater``, more or
less than half of it is, with some doubt near one half."""

RATER_LEVEL, RATER_WIDTH = 0.5, 0.1
"""Share at which half of the raters mark a voxel, and how fast they change their mind: raters differ by about 0.1."""

SMOOTH = 10.0
"""Voxels added to both sides of the Dice quotient: crops without a lesion have a gradient that is not a leap."""

NEARLY = 1e-4
"""Probabilities are kept this far from 0 and 1, where the logarithm ends."""


def rated(share: Tensor, link: Link) -> Tensor:
    """Probability that a coarse voxel of which a `share` is lesion gets marked."""
    return torch.sigmoid((share - RATER_LEVEL) / RATER_WIDTH) if link == "rater" else share


def dice_and_entropy(probability: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of the cross-entropy and 1 - soft Dice (Milletari 2016, 3DV), over all voxels of a batch.

    Parameters
    ----------
    probability, target : (V,) in [0, 1]; targets may be shares.
    weight : (V,), at least 0; a batch of weight 0 has loss 0.
    """
    total = weight.sum()
    if float(total.detach()) <= 0:
        return 0 * probability.sum()
    p = probability.clamp(NEARLY, 1 - NEARLY)
    entropy = (F.binary_cross_entropy(p, target, reduction="none") * weight).sum() / total
    shared = (p * target * weight).sum()
    dice = (2 * shared + SMOOTH) / (((p + target) * weight).sum() + SMOOTH)
    # A label of weight 0.3 is worth 0.3 of the Dice term as well.
    return entropy + (1 - dice) * (total / (weight > 0).sum())


@dataclass(frozen=True, eq=False)
class SliceTarget:
    """Labels on slices for a batch of crops.

    Attributes
    ----------
    coarseners, labels : one for each crop, float32 (I, J, K) 0 or 1; None where no slice crosses a crop.
    weights : of each crop's label.
    link : see `Link`.
    """

    coarseners: Sequence[Coarsener | None]
    labels: Sequence[Tensor | None]
    weights: Sequence[float]
    link: Link = "share"

    def to(self, device: str) -> SliceTarget:
        """The same on another device."""
        return replace(
            self,
            coarseners=[None if c is None else c.to(device) for c in self.coarseners],
            labels=[None if label is None else label.to(device) for label in self.labels],
        )

    def loss(self, logits: Tensor) -> Tensor:
        """Of logits (N, 1, X, Y, Z): probabilities pass through the slices before they are compared."""
        told, wanted, weights = [], [], []
        for crop, coarsen, label, weight in zip(logits, self.coarseners, self.labels, self.weights, strict=True):
            if coarsen is None or label is None:
                continue
            share = coarsen(torch.sigmoid(crop[0]))[coarsen.seen]
            told.append(rated(share, self.link))
            wanted.append(label[coarsen.seen])
            weights.append(torch.full_like(share, weight))
        if not told:
            return 0 * logits.sum()
        return dice_and_entropy(torch.cat(told), torch.cat(wanted), torch.cat(weights))


@dataclass(frozen=True, eq=False)
class DenseTarget:
    """Labels on the fine grid for a batch of crops.

    Attributes
    ----------
    target : float32 (N, 1, X, Y, Z) in [0, 1].
    weight : float32 (N, 1, X, Y, Z); 0 where nothing is known.
    """

    target: Tensor
    weight: Tensor

    def to(self, device: str) -> DenseTarget:
        """The same on another device."""
        return DenseTarget(self.target.to(device), self.weight.to(device))

    def loss(self, logits: Tensor) -> Tensor:
        """Of logits (N, 1, X, Y, Z)."""
        known = self.weight > 0
        return dice_and_entropy(torch.sigmoid(logits[known]), self.target[known], self.weight[known])


Target = SliceTarget | DenseTarget


def lesion_loss(logits: Tensor, target: Target) -> Tensor:
    """Loss of a batch; how its labels were drawn, the target knows."""
    return target.loss(logits)
