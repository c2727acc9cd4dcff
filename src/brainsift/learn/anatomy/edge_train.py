"""Train the network that draws the edges on a bank of what the stages before it said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from brainsift.learn.anatomy.edge_bank import Bank, mirrored, unpack
from brainsift.learn.anatomy.edge_net import EdgeNet
from brainsift.learn.anatomy.train import labels, mean_dice, one_thread
from brainsift.learn.export import weights_for
from brainsift.learn.losses import dice_cross_entropy
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.people import refuse_shared_people
from brainsift.learn.trainer import Scores, Trainer, TrainingPlan

READ_AHEAD = 8


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
    keep_freed_memory()
    torch.set_num_threads(plan.threads)

    def validate(model: nn.Module) -> Scores:
        if validation is None:
            return {}
        each = (validation[number] for number in range(len(validation)))
        return mean_dice([(labels(model, unpack(one.witnesses)), one.tissue) for one in each])

    trainer = Trainer(EdgeNet, dice_cross_entropy, validate, plan, output)
    if begin is not None:
        weights = weights_for(trainer.model, begin)
        trainer.model.load_state_dict(weights)
        trainer.average.load_state_dict(weights)
    if resume:
        trainer.load()
    stream = BankStream(bank, plan.seed, trainer.step)
    loader = DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=READ_AHEAD, worker_init_fn=one_thread)
    trainer.run(loader, quiet)
    return trainer.checkpoint


class BankStream(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless (witnesses (1, CHANNELS, x, y, z), tissues (1, 2x, 2y, 2z)): every example once a round, half of them
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
                yield unpack(shown.witnesses), torch.from_numpy(shown.tissue)[None]
