"""Train the detector on a bank of examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from brainsift.evaluate.detection.froc import share_found
from brainsift.evaluate.detection.match import Match
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.microbleeds.bank import Bank
from brainsift.learn.microbleeds.batches import Lessons, batches
from brainsift.learn.microbleeds.losses import detector_loss
from brainsift.learn.microbleeds.net import DetectorNet
from brainsift.learn.microbleeds.predict import Ask, asker, find, match
from brainsift.learn.people import refuse_shared_people
from brainsift.learn.spread import mostly
from brainsift.learn.trainer import MakeNet, Scores, Trainer, TrainingPlan

WATCHED = "tpr"
"""Mean share found at `CURVE_RATES`."""

CURVE_RATES = (2.0, 8.0, 32.0)
"""False candidates per scan: what the discriminator is left with, and more."""

CURVE_EXAMPLES = 24
"""Validation scans looked at for each point of the curve, with bleeds three quarters of them: each takes seconds, and
with half as many one bleed more or less decided which weights were kept."""


def train_detector(
    bank: Bank,
    validation: Bank | None,
    output: Path,
    plan: TrainingPlan,
    lessons: Lessons,
    *,
    resume: bool = True,
    quiet: bool = False,
    make: MakeNet = DetectorNet,
) -> Path:
    """Train, or go on from the checkpoint in `output`; returns the path of the weights to export.

    Parameters
    ----------
    bank, validation : examples to learn from and to choose the weights with; they must not share a person.

    Raises
    ------
    ValueError
        if a person is on both sides, or there is no scan to learn from.
    """
    refuse_shared_people(bank, validation)
    keep_freed_memory()
    torch.set_num_threads(plan.threads)
    shown = None if validation is None else telling(validation, CURVE_EXAMPLES)

    def validate(model: nn.Module) -> Scores:
        return {} if shown is None else curve_scores(asker(model, plan.device), shown)

    watched = None if shown is None else WATCHED
    trainer = Trainer(make, detector_loss, validate, plan, output, watched)
    if resume:
        trainer.load()
    trainer.run(batches(bank, lessons, plan.seed, trainer.step), quiet)
    return trainer.weights


def curve_scores(ask: Ask, bank: Bank) -> Scores:
    """Share of bleeds found at some rates of false candidates, and its mean; nothing where there is no bleed."""
    return rate_scores([match(one, find(ask, one)) for one in (bank[i] for i in range(len(bank)))], CURVE_RATES)


def rate_scores(matches: Sequence[Match], rates: Sequence[float]) -> Scores:
    """`tpr_at_R` for each rate of false marks per scan, and `WATCHED`, their mean; nothing where there is no bleed."""
    scores = {f"{WATCHED}_at_{rate:g}": share_found(matches, rate) for rate in rates}
    if not all(np.isfinite(value) for value in scores.values()):
        return {}
    return scores | {WATCHED: float(np.mean(list(scores.values())))}


def telling(bank: Bank, count: int) -> Bank:
    """Some examples of a bank, evenly spread, three quarters of them with bleeds where there are as many."""
    bleeding = [i for i, row in enumerate(bank.rows) if row["lesions"]]
    empty = [i for i, row in enumerate(bank.rows) if not row["lesions"]]
    return bank.only(mostly(bleeding, empty, count, count // 4))
