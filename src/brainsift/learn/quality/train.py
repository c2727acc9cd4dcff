"""Train the quality network on a bank of examples: from nothing, or from a trained one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from brainsift.evaluate.ranking import auc
from brainsift.learn.export import weights_for
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.people import refuse_shared_people
from brainsift.learn.quality.bank import Bank
from brainsift.learn.quality.batches import batches, whole
from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.truth import COLUMNS, N_BINARY, balancing_weights, binary_targets, even_odds, quality_loss
from brainsift.learn.spread import evenly
from brainsift.learn.trainer import Scores, Trainer, TrainingPlan, load_net
from brainsift.tasks.quality.network import OUTPUTS

Float32 = NDArray[np.float32]

WATCHED = "mean_auc"
"""Ranking does not depend on a threshold, so it rises smoothly; balanced accuracy jumps with few examples."""

CURVE_EXAMPLES = 240
"""Of the validation side, looked at for each point of the curve: 240 whole scans take about 20 s on two cores."""

ASKED_AT_ONCE = 4

APART = 0.5
"""Of the steps are of views that answer apart: read as one alone, a view never learns to answer by itself; apart alone,
the brain by itself learns from simulation what is improper, which real scans do not bear out (decision 0014)."""


def train_quality(
    bank: Bank,
    validation: Bank | None,
    output: Path,
    plan: TrainingPlan,
    *,
    start_from: Path | None = None,
    freeze: str | None = None,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train, or go on from the checkpoint in `output`; returns the path of the weights to export: see `better_of`.

    Parameters
    ----------
    bank, validation : examples to learn from and to choose the weights with; they must not share a person.
    start_from : checkpoint (or best weights) of another training, whose weights are the first ones.
    freeze : ``extractor`` to train only what comes after the convolutions.

    Raises
    ------
    ValueError
        if a person is on both sides, or `freeze` is unknown.
    """
    if freeze not in (None, "extractor"):
        raise ValueError(f"only the extractor can be frozen, got {freeze!r}")
    refuse_shared_people(bank, validation)
    keep_freed_memory()
    torch.set_num_threads(plan.threads)

    def make() -> nn.Module:
        model = QualityNet(apart=APART)
        if start_from is not None:
            model.load_state_dict(load_weights(start_from))
        if freeze:
            model.freeze_extractor()
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    shown = None if validation is None else validation.only(evenly(range(len(validation)), CURVE_EXAMPLES))

    def validate(model: nn.Module) -> Scores:
        return {} if shown is None else curve_scores(answers(model, shown), shown.truth)

    watched = None if shown is None else WATCHED
    loss = partial(quality_loss, odds=even_odds(bank.truth, balancing_weights(bank.truth)))
    trainer = Trainer(make, loss, validate, plan, output, watched)
    if resume:
        trainer.load()
    trainer.run(batches(bank, plan.seed, trainer.step), quiet)
    if validation is None or len(validation) <= CURVE_EXAMPLES:
        return trainer.weights
    return better_of((trainer.weights, trainer.checkpoint), validation)


def better_of(weights: Sequence[Path], validation: Bank) -> Path:
    """The weights with the highest mean AUC on all validation examples, the first of equals.

    The curve's best is the luckiest of many points, on a part of them: the last weights are often better.
    """

    def mean(path: Path) -> float:
        model = load_net(path, QualityNet)
        return curve_scores(answers(model, validation), validation.truth)[WATCHED]

    return max(weights, key=mean)


def load_weights(path: Path) -> dict[str, Tensor]:
    """Weights of a quality network; see `weights_for`."""
    return weights_for(QualityNet(), path)


def answers(model: nn.Module, bank: Bank) -> Float32:
    """Logits (N, 1 + S, outputs) for all examples of a bank."""
    rows: list[Tensor] = []
    indices = list(range(len(bank)))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for first in range(0, len(bank), ASKED_AT_ONCE):
            rows.append(model.eval()(whole(bank, indices[first : first + ASKED_AT_ONCE])).float())
    result: Float32 = torch.cat(rows).numpy()
    return result


def curve_scores(logits: Float32, truth: Float32) -> Scores:
    """AUC of each binary answer, accuracy of the sequence, and their mean; NaN answers are left out."""
    targets = binary_targets(torch.from_numpy(truth)).numpy()
    scores: Scores = {}
    for column, name in enumerate(OUTPUTS[:N_BINARY]):
        known = np.isfinite(targets[:, column])
        positive = targets[known, column] > 0.5
        if positive.any() and not positive.all():
            scores[name] = float(auc(positive, logits[known, 0, column]))
    named = np.isfinite(truth[:, len(COLUMNS) - 1])
    if named.any():
        guess = logits[named, 0, N_BINARY:].argmax(axis=1)
        scores["sequence"] = float(np.mean(guess == truth[named, len(COLUMNS) - 1]))
    return scores | {WATCHED: float(np.mean(list(scores.values())))} if scores else scores
