"""Train the network of two domains: from nothing, from a trained quality network, or from another adaptation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from brainsift.learn.adapt.batches import PER_PART, adapt_batches
from brainsift.learn.adapt.confidence import measured_temperature
from brainsift.learn.adapt.domains import Domains, class_odds
from brainsift.learn.adapt.lessons import Lessons, Pace
from brainsift.learn.adapt.net import SOURCE, TARGET, WIDTHS, AdaptNet
from brainsift.learn.adapt.objective import Objective
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.people import refuse_shared_people
from brainsift.learn.quality.bank import Bank
from brainsift.learn.quality.batches import SLICES_PER_AXIS, Pair, whole
from brainsift.learn.quality.train import APART, WATCHED, curve_scores, load_weights
from brainsift.learn.trainer import Scores, Trainer, TrainingPlan, averaged_weights

Float32 = NDArray[np.float32]

MIN_WATCHED = 40
"""Validation scans from which they choose the weights; with fewer the highest of several scores is a matter of luck,
and the last weights are taken."""

ASKED_AT_ONCE = 8


@dataclass(frozen=True)
class Shape:
    """Sizes of network and batches; those of the quality network that ships.

    Attributes
    ----------
    widths : channels of the extractor's levels.
    per_part : examples of source, target and unlabelled scans in a step.
    per_axis : slices of each orientation that an example shows in a step.
    """

    widths: tuple[int, ...] = WIDTHS
    per_part: int = PER_PART
    per_axis: int = SLICES_PER_AXIS


def train_adapted(
    domains: Domains,
    validation: Bank | None,
    output: Path,
    plan: TrainingPlan,
    lessons: Lessons | None = None,
    *,
    shape: Shape | None = None,
    start_from: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train, or go on from the checkpoint in `output`; returns the path of the weights to export.

    Parameters
    ----------
    domains : what is learnt from. Without a source it is training on the target alone, without a target on the source.
    validation : scans of the target domain; they choose the weights where there are `MIN_WATCHED`, measure the
        temperature of pseudo-labels, and give the curve. Nobody of them may be learnt from.
    start_from : weights of a quality network (`load_weights`) or of an earlier adaptation of the same shape.

    Raises
    ------
    ValueError
        if a person is on both sides, or there is nothing to learn from.
    """
    lessons, shape, pace = lessons or Lessons(), shape or Shape(), Pace()
    for bank in domains.parts():
        refuse_shared_people(bank, validation)
    keep_freed_memory()
    torch.set_num_threads(plan.threads)

    def make() -> nn.Module:
        model = AdaptNet(lessons.two_heads, shape.widths, pace)
        model.shared.apart = APART
        if start_from is not None:
            begin_from(model, start_from)
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def validate(model: nn.Module) -> Scores:
        if validation is None:
            return {}
        logits = answers(model, validation)
        pace.temperature = measured_temperature(logits[:, 0], validation.truth)
        scores = curve_scores(logits, validation.truth)
        return scores | {"temperature": pace.temperature} if lessons.labels_itself else scores

    watched = WATCHED if validation is not None and len(validation) >= MIN_WATCHED else None
    objective = Objective(lessons, class_odds(domains.source), class_odds(domains.target), pace)
    trainer = Trainer(make, objective, validate, plan, output, watched)
    if resume:
        trainer.load()
    if trainer.step and lessons.labels_itself:
        validate(trainer.average)
    drawn = adapt_batches(
        domains,
        plan.seed,
        trainer.step,
        per_part=shape.per_part,
        per_axis=shape.per_axis,
        two_views=lessons.semi != "none",
    )
    trainer.run(paced(drawn, trainer, pace), quiet)
    return trainer.weights


def paced(batches: Iterable[Pair], trainer: Trainer, pace: Pace) -> Iterator[Pair]:
    """The same batches; before each, `pace` is told how much of the training is done."""
    for batch in batches:
        pace.progress = min(1.0, trainer.progress)
        yield batch


def begin_from(model: AdaptNet, path: Path) -> None:
    """Take the weights of an earlier adaptation, or of a quality network for the extractor and both heads.

    Raises
    ------
    ValueError
        if the file holds neither, or another shape.
    """
    stored = {} if path.suffix == ".onnx" else averaged_weights(path)
    if not any(name.startswith("shared.") for name in stored):
        model.shared.load_state_dict(load_weights(path))
        model.copy_head()
        return
    own = model.state_dict()
    wrong = [name for name, weight in own.items() if name in stored and stored[name].shape != weight.shape]
    if wrong:
        raise ValueError(f"{path.name} holds a network of another shape: {wrong[0]} differs")
    model.load_state_dict({name: stored.get(name, weight) for name, weight in own.items()})
    if not any(name.startswith("target.") for name in stored):
        model.copy_head()


def load_adapted(path: Path, shape: Shape | None = None) -> AdaptNet:
    """The averaged network of a checkpoint of `train_adapted`, to be asked."""
    weights = averaged_weights(path)
    two_heads = any(name.startswith("target.") for name in weights)
    model = AdaptNet(two_heads, (shape or Shape()).widths)
    model.load_state_dict(weights)
    return model.eval()


def answers(model: nn.Module, bank: Bank, head: str = "target") -> Float32:
    """Logits (N, 1 + S, outputs) of one head for all examples of a bank."""
    columns = TARGET if head == "target" else SOURCE
    rows: list[Tensor] = []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for first in range(0, len(bank), ASKED_AT_ONCE):
            asked = list(range(first, min(first + ASKED_AT_ONCE, len(bank))))
            rows.append(model.eval()(whole(bank, asked))[..., columns].float())
    result: Float32 = torch.cat(rows).numpy()
    return result
