"""Losses: recall before precision for the detector; for cubes class and voxels, and distillation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

MISSED, FALSE = 0.8, 0.2
"""Weights of missed and of false voxels in the Tversky index (Salehi 2017, MLMI; 0.7 and 0.3 there): what the detector
misses nobody finds again, what is false the discriminator drops."""

BLEED_VOXELS = 300.0
"""What each bleed weighs in the cross-entropy, whatever its size, in voxels of background: it has 5 to 200 itself."""

SMOOTH = 10.0
"""Added to both sides of the Tversky quotient: crops without a bleed have a gradient that is not a leap."""


@dataclass(frozen=True, eq=False)
class BleedTarget:
    """What a batch of crops is held against.

    Attributes
    ----------
    bleed : float32 (N, 1, X, Y, Z), 1 in bleeds.
    weight : the same shape; 0 where nothing is asked, in bleeds such that each sums to 1, else 1.
    """

    bleed: Tensor
    weight: Tensor

    def to(self, device: str) -> BleedTarget:
        """On another device."""
        return BleedTarget(self.bleed.to(device), self.weight.to(device))


def detector_loss(logits: Tensor, target: BleedTarget) -> Tensor:
    """Cross-entropy and Tversky loss, in both of which each bleed counts alike and misses weigh more than false voxels.

    Parameters
    ----------
    logits : float32 (N, 1, X, Y, Z).
    """
    inside = target.bleed > 0.5
    weight = torch.where(inside, BLEED_VOXELS * target.weight, target.weight)
    entropy = F.binary_cross_entropy_with_logits(logits, target.bleed, reduction="none")
    mean = (entropy * weight).sum() / (~inside & (target.weight > 0)).sum().clamp(min=1)
    # Tenths: a bleed then weighs 30 voxels in the quotient, about what it has.
    probability, share = torch.sigmoid(logits), weight / torch.where(inside, 10.0, 1.0)
    hit = (probability * share * inside).sum()
    missed = ((1 - probability) * share * inside).sum()
    false = (probability * share * ~inside).sum()
    tversky = (hit + SMOOTH) / (hit + MISSED * missed + FALSE * false + SMOOTH)
    return 10 * mean + 1 - tversky


@dataclass(frozen=True, eq=False)
class CubeTarget:
    """What a batch of cubes is held against.

    Attributes
    ----------
    label : float32 (N, 1), 1 for a bleed.
    voxels : float32 (N, 24³), 1 in bleeds; for the teacher.
    soft : float32 (N, 1), the teacher's logits, or None.
    """

    label: Tensor
    voxels: Tensor
    soft: Tensor | None = None

    def to(self, device: str) -> CubeTarget:
        """On another device."""
        soft = None if self.soft is None else self.soft.to(device)
        return CubeTarget(self.label.to(device), self.voxels.to(device), soft)


@dataclass(frozen=True)
class Distillation:
    """How a student learns from a teacher (Hinton 2015, arXiv:1503.02531).

    Attributes
    ----------
    temperature : both logits are divided by it.
    alpha : share of the teacher's answer in the loss, the rest is the truth's. 4 and 0.4 in Sundaresan 2023.
    """

    temperature: float = 4.0
    alpha: float = 0.4

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 <= self.alpha <= 1:
            raise ValueError(f"temperature must be above 0 and alpha in [0, 1], got {self.temperature}, {self.alpha}")


def teacher_loss(answer: Tensor, target: CubeTarget) -> Tensor:
    """Cross-entropy of the class, and cross-entropy with soft Dice of the voxels, half of it each.

    Parameters
    ----------
    answer : float32 (N, 1 + voxels), see `TeacherNet`.
    """
    label = F.binary_cross_entropy_with_logits(answer[:, :1], target.label)
    voxels = answer[:, 1:]
    entropy = F.binary_cross_entropy_with_logits(voxels, target.voxels)
    probability = torch.sigmoid(voxels)
    shared = (probability * target.voxels).sum()
    dice = (2 * shared + SMOOTH) / (probability.sum() + target.voxels.sum() + SMOOTH)
    return label + 0.5 * (entropy + 1 - dice)


def student_loss(logits: Tensor, target: CubeTarget, how: Distillation | None = None) -> Tensor:
    """Cross-entropy with the truth, and where there is a teacher's answer, with that at a temperature.

    The soft part is multiplied by the temperature squared, so that its gradient keeps its size (Hinton 2015).
    """
    hard = F.binary_cross_entropy_with_logits(logits, target.label)
    if how is None or target.soft is None:
        return hard
    t = how.temperature
    wanted = torch.sigmoid(target.soft / t)
    soft = F.binary_cross_entropy_with_logits(logits / t, wanted)
    # Less what the teacher's own doubt costs, which no student can save: the divergence is 0 where both agree.
    floor = F.binary_cross_entropy_with_logits(target.soft / t, wanted)
    return (1 - how.alpha) * hard + how.alpha * t**2 * (soft - floor)
