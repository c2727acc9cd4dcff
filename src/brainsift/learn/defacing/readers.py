"""Fit what reads the answer from the maps, once the maps are learnt: minutes, where the maps take hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.defacing.bank import Bank
from brainsift.learn.defacing.batches import chances, in_turn
from brainsift.learn.defacing.net import DefacingNet
from brainsift.learn.defacing.truth import answer_loss

PASSES = 2
"""Times that every example is shown, each with other changes; 0.1 s each on one core."""

EPOCHS, BATCH, LEAST_STEPS = 60, 64, 500

RATE, WEIGHT_DECAY = 2e-3, 1e-2

LEAST_SCALE = 1e-2
"""Of a reading: some hardly vary."""


@dataclass(frozen=True)
class Lessons:
    """Readings and what is known of them; `Known` without the maps.

    Attributes
    ----------
    given : (N, readings), standardised.
    rows : (N, columns), of `truth.truth_row`.
    likely : (N, classes), of `truth.label_chances`.
    chance : (N,), of each to be drawn.
    """

    given: Tensor
    rows: Tensor
    likely: Tensor
    chance: NDArray[np.float64]


def fit_readers(net: DefacingNet, bank: Bank, seed: int = 1, passes: int = PASSES, *, quiet: bool = False) -> None:
    """Fit the readers of a network anew on all examples of a bank, each on its own.

    In the training of the maps every example is read a dozen times only, and by readers that follow changing maps.
    """
    readings = read_bank(net, bank, seed, passes, quiet=quiet)
    net.answer.centre.copy_(readings.mean(dim=0))
    net.answer.scale.copy_(readings.std(dim=0).clamp(min=LEAST_SCALE))
    lessons = Lessons(
        net.answer.standard(readings),
        torch.from_numpy(np.tile(bank.truth, (passes, 1))),
        torch.from_numpy(np.tile(bank.chances, (passes, 1))),
        np.tile(chances(bank), passes) / passes,
    )
    torch.manual_seed(seed)
    for number, member in enumerate(net.answer.members):
        _fit(member, lessons, np.random.default_rng([seed, number]))


def read_bank(net: DefacingNet, bank: Bank, seed: int, passes: int, *, quiet: bool = False) -> Tensor:
    """Readings of every example, each pass with other changes, (passes x N, readings)."""
    from rich.progress import track

    rng = np.random.default_rng([seed, 1])
    net.eval()
    shown = (inputs for _ in range(passes) for inputs in in_turn(bank, rng))
    with torch.no_grad():
        told = track(shown, "reading maps", total=passes * len(bank), disable=quiet)
        return torch.cat([net.look(inputs)[1] for inputs in told])


def _fit(member: nn.Module, lessons: Lessons, rng: np.random.Generator) -> None:
    """Fit one reader: labels drawn evenly, the rate falling to zero."""
    for layer in member.modules():
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()
    steps = max(LEAST_STEPS, EPOCHS * len(lessons.given) // BATCH)
    optimiser = torch.optim.AdamW(member.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    member.train()
    for _ in range(steps):
        chosen = rng.choice(len(lessons.given), BATCH, p=lessons.chance)
        # What a network answers ends with mL of brain, which no reader gives.
        answers = F.pad(member(lessons.given[chosen]), (0, 1))
        loss = answer_loss(answers, lessons.rows[chosen], lessons.likely[chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    member.eval()
