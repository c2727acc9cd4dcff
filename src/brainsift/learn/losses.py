"""Losses for voxel-wise classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know


def dice_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean of cross-entropy and soft Dice over the classes that the target holds (Milletari 2016; Isensee 2021).

    Parameters
    ----------
    logits : float32 (N, C, X, Y, Z).
    target : whole numbers (N, X, Y, Z).
    """
    target = target.long()
    logp = F.log_softmax(logits, dim=1)
    entropy = F.nll_loss(logp, target)
    probability = logp.exp()
    classes = logits.shape[1]
    flat = target.flatten()
    size = torch.bincount(flat, minlength=classes).to(logits.dtype)
    hit = probability.gather(1, target[:, None]).flatten()
    overlap = torch.zeros(classes, dtype=logits.dtype, device=logits.device).index_add(0, flat, hit)
    total = probability.sum(dim=(0, 2, 3, 4)) + size
    present = size > 0
    dice = (2 * overlap[present] + 1) / (total[present] + 1)
    return entropy + 1 - dice.mean()
