"""Train the lesion network on a bank of examples, in one step or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from brainsift.learn.export import begun
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.people import refuse_shared_people
from brainsift.learn.spread import mostly
from brainsift.learn.trainer import MakeNet, Scores, Trainer, TrainingPlan, load_net
from brainsift.learn.wmh.agreement import judge_labels, read_weights, write_agreement
from brainsift.learn.wmh.bank import Bank
from brainsift.learn.wmh.batches import Lessons, batches
from brainsift.learn.wmh.losses import lesion_loss
from brainsift.learn.wmh.measure import WATCHED, curve_scores
from brainsift.learn.wmh.net import WmhNet
from brainsift.learn.wmh.predict import asker
from brainsift.learn.wmh.settings import CLEAR_ML

FIRST_STEP, WEIGHTS = "step_one", "label_weights.tsv"

FIRST_SHARE = 0.5
"""Of steps and minutes go to the first of two steps; the second goes on from its weights."""

CURVE_EXAMPLES, CURVE_OTHERS = 10, 5
"""Of the validation side, looked at for each point of the curve: a whole brain takes seconds. One in five has next to
no lesions; half of all people have, and of ten taken as they came three decided which weights were the best."""


def train_wmh(
    bank: Bank,
    validation: Bank | None,
    output: Path,
    plan: TrainingPlan,
    lessons: Lessons,
    *,
    weights: Sequence[float] | None = None,
    start_from: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
    make: MakeNet = WmhNet,
) -> Path:
    """Train, or go on from the checkpoint in `output`; returns the path of the weights to export.

    Parameters
    ----------
    bank, validation : examples to learn from and to choose the weights with; they must not share a person.
    weights : of each label, at least 0; all 1 if not given.
    start_from : checkpoint or exported network whose weights are the first ones.

    Raises
    ------
    ValueError
        if a person is on both sides, or an example lacks what the supervision needs.
    """
    refuse_shared_people(bank, validation)
    keep_freed_memory()
    torch.set_num_threads(plan.threads)

    def make_net() -> nn.Module:
        return make() if start_from is None else begun(make, start_from)

    shown = None if validation is None else some(validation, CURVE_EXAMPLES)

    def validate(model: nn.Module) -> Scores:
        return {} if shown is None else curve_scores(asker(model, plan.device), shown)

    watched = None if shown is None else WATCHED
    trainer = Trainer(make_net, lesion_loss, validate, plan, output, watched)
    if resume:
        trainer.load()
    trainer.run(batches(bank, lessons, plan.seed, trainer.step, weights), quiet)
    return trainer.weights


def train_twice(
    bank: Bank,
    validation: Bank | None,
    output: Path,
    plan: TrainingPlan,
    lessons: Lessons,
    *,
    start_from: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
    make: MakeNet = WmhNet,
) -> Path:
    """Train on every label, weigh each by its agreement with what was learnt, and train on.

    The weights lie in `WEIGHTS`, by example, for people to look at; a resumed training reads them from there.
    """
    first = _part(plan, FIRST_SHARE)
    found = train_wmh(
        bank,
        validation,
        output / FIRST_STEP,
        first,
        lessons,
        start_from=start_from,
        resume=resume,
        quiet=quiet,
        make=make,
    )
    weights = read_weights(output / WEIGHTS, bank.names) if resume else None
    if weights is None:
        judged = judge_labels(asker(load_net(found, make), plan.device), bank)
        write_agreement(judged, output / WEIGHTS)
        weights = [one.weight for one in judged]
    return train_wmh(
        bank,
        validation,
        output,
        _part(plan, 1 - FIRST_SHARE),
        lessons,
        weights=weights,
        start_from=found,
        resume=resume,
        quiet=quiet,
        make=make,
    )


def _part(plan: TrainingPlan, share: float) -> TrainingPlan:
    minutes = None if plan.minutes is None else plan.minutes * share
    return replace(plan, steps=max(1, round(plan.steps * share)), minutes=minutes)


def some(bank: Bank, count: int) -> Bank:
    """Examples of a bank for the curve, evenly spread, most of them with lesions that are worth a mean."""
    loads = [float(facts.get("load_ml", CLEAR_ML)) for facts in bank.facts]
    ill, others = ([row for row, load in enumerate(loads) if (load >= CLEAR_ML) is much] for much in (True, False))
    return bank.only(mostly(ill, others, count, count // CURVE_OTHERS))
