"""The loss of one step: labels of both domains, the domain classifier, and what is asked of scans without labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.adapt.lessons import Lessons, Pace
from brainsift.learn.adapt.net import DOMAIN, SOURCE, TARGET
from brainsift.learn.quality.truth import COLUMNS, N_BINARY, quality_loss

GROUP = len(COLUMNS)
"""Column of a target that says where an example is from."""

OF_SOURCE, OF_TARGET, UNLABELLED, SECOND_VIEW = 0.0, 1.0, 2.0, 3.0
"""Groups: labelled source, labelled target, unlabelled target, and the same scans again, in the same order, changed
otherwise."""

GRADES = slice(2, N_BINARY)
"""Of the binary answers, those that make sense for a proper scan only."""


@dataclass(frozen=True, eq=False)
class Objective:
    """Sum of the terms that `lessons` asks for.

    Attributes
    ----------
    odds_source, odds_target : weights (8, 2) of no and yes, from each domain's own shares (`even_odds`).
    pace : progress and temperature, shared with the network and the training.
    """

    lessons: Lessons
    odds_source: Tensor | None
    odds_target: Tensor | None
    pace: Pace

    def __call__(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Loss of outputs (N, 1 + S, 2 outputs + 1) against rows (N, 7): `COLUMNS`, then `GROUP`."""
        group, rows = truth[:, GROUP], truth[:, :GROUP]
        total = outputs.sum() * 0.0
        for which, columns, odds in (
            (group == OF_SOURCE, SOURCE, self.odds_source),
            (group == OF_TARGET, TARGET, self.odds_target),
        ):
            if which.any():
                total = total + quality_loss(outputs[which][..., columns], rows[which], odds)
        if self.lessons.domain:
            total = total + self.lessons.domain * domain_loss(outputs[:, 0, DOMAIN], group != OF_SOURCE)
        first, second = group == UNLABELLED, group == SECOND_VIEW
        if second.any():
            total = total + self._unlabelled(outputs[first, 0, TARGET], outputs[second, 0, TARGET])
        return total

    def _unlabelled(self, first: Tensor, second: Tensor) -> Tensor:
        lessons, total = self.lessons, first.sum() * 0.0
        if lessons.consistent:
            total = total + lessons.consistency * consistency_loss(first, second)
        if lessons.labels_itself:
            total = total + lessons.pseudo * pseudo_loss(first, second, self.pace.temperature, lessons.confidence)
        return self.pace.ramp * total


def domain_loss(logits: Tensor, of_target: Tensor) -> Tensor:
    """Cross-entropy of the domain (N,), each domain weighing one half, however many examples it has: with labelled and
    unlabelled target scans beside one source the classifier would else learn to answer "target"."""
    loss = F.binary_cross_entropy_with_logits(logits, of_target.to(logits.dtype), reduction="none")
    sides = [loss[side].mean() for side in (of_target, ~of_target) if side.any()]
    return torch.stack(sides).mean() if len(sides) == 2 else logits.sum() * 0.0


def consistency_loss(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared difference of the probabilities that two views of a scan are given, (N, outputs) each, both ways
    (Laine 2017, ICLR)."""
    return F.mse_loss(torch.sigmoid(first[:, :N_BINARY]), torch.sigmoid(second[:, :N_BINARY])) * N_BINARY


def pseudo_loss(first: Tensor, second: Tensor, temperature: float, confidence: float) -> Tensor:
    """Cross-entropy of the second view against what is said of the first, where that is sure (Sohn 2020, NeurIPS).

    Parameters
    ----------
    first, second : logits (N, outputs); no gradient flows through the first.
    temperature : of the first's log odds. An uncalibrated network is sure of too much.
    confidence : probability of being right from which an answer counts. Grades of a scan that is not surely proper are
        left out: an improper one has none.
    """
    probability = torch.sigmoid(first[:, :N_BINARY].detach() / temperature)
    sure = torch.maximum(probability, 1 - probability) >= confidence
    sure[:, GRADES] &= (probability[:, :1] >= confidence).expand(-1, N_BINARY - GRADES.start)
    loss = F.binary_cross_entropy_with_logits(second[:, :N_BINARY], (probability > 0.5).float(), reduction="none")
    return N_BINARY * (loss * sure).mean()
