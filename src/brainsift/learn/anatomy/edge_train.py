"""Train the network that draws the edges on a bank of what the stages before it said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from brainsift.learn.anatomy.edge_bank import Bank, mirrored, unpack
from brainsift.learn.anatomy.edge_net import EdgeNet
from brainsift.learn.anatomy.train import Pair, fit
from brainsift.learn.export import begun
from brainsift.learn.people import refuse_shared_people
from brainsift.learn.trainer import TrainingPlan

READ_AHEAD = 8
"""Examples of some 60 MB each."""


def train_edges(
    bank: Bank,
    validation: Bank | None,
    output: Path,
    plan: TrainingPlan,
    *,
    begin: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train, or go on from the checkpoint in `output`; returns the path of the checkpoint.

    Parameters
    ----------
    begin : ONNX file or checkpoint whose weights a new training begins with.

    Raises
    ------
    ValueError
        if a person is on both sides, or `begin` holds another network.
    """
    refuse_shared_people(bank, validation)
    return fit(
        EdgeNet if begin is None else partial(begun, EdgeNet, begin),
        lambda start: BankStream(bank, plan.seed, start),
        [] if validation is None else HeldOut(validation),
        output,
        plan,
        resume=resume,
        quiet=quiet,
        read_ahead=READ_AHEAD,
    )


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Examples to draw the curve with, read anew each time: all of them would take gigabytes."""

    bank: Bank

    def __iter__(self) -> Iterator[Pair]:
        for number in range(len(self.bank)):
            one = self.bank[number]
            yield unpack(one.witnesses), one.tissue


class BankStream(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless (witnesses (CHANNELS, x, y, z), tissues (2x, 2y, 2z)): every example once a round, half of them
    mirrored.

    Parameters
    ----------
    start : number of steps already made, so that a resumed training takes another order.
    """

    def __init__(self, bank: Bank, seed: int, start: int = 0) -> None:
        super().__init__()
        self.bank, self.seed, self.start = bank, seed, start

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng([self.seed, self.start])
        while True:
            for number in rng.permutation(len(self.bank)).tolist():
                one = self.bank[number]
                shown = mirrored(one) if rng.random() < 0.5 else one
                yield unpack(shown.witnesses)[0], torch.from_numpy(shown.tissue)
