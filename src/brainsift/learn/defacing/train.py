"""Train the defacing network on a bank of examples, and set its temperature."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from brainsift.evaluate.confusion import confusion
from brainsift.evaluate.ranking import auc
from brainsift.evaluate.rates import balanced_accuracy
from brainsift.learn.defacing.bank import Bank
from brainsift.learn.defacing.batches import batches, whole
from brainsift.learn.defacing.net import AnswerAlone, DefacingNet
from brainsift.learn.defacing.readers import fit_readers
from brainsift.learn.defacing.truth import defacing_loss
from brainsift.learn.export import begun
from brainsift.learn.memory import keep_freed_memory
from brainsift.learn.people import refuse_shared_people
from brainsift.learn.trainer import Scores, Trainer, TrainingPlan, load_net
from brainsift.tasks.defacing.network import CLASSES, FEATURES, N_OUTPUTS

Float32 = NDArray[np.float32]

WATCHED = "mean_auc"
"""Of each class against the rest: it rises smoothly, where balanced accuracy jumps with few examples."""

ASKED_AT_ONCE = 4

TEMPERATURES = np.exp(np.linspace(np.log(0.4), np.log(5.0), 121))


def train_defacing(
    bank: Bank,
    validation: Bank | None,
    output: Path,
    plan: TrainingPlan,
    *,
    start_from: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train, or go on from the checkpoint in `output`; returns the path of the weights to export.

    Parameters
    ----------
    start_from : checkpoint or exported network whose weights are the first ones.

    Raises
    ------
    ValueError
        if a person is on both sides.
    """
    refuse_shared_people(bank, validation)
    keep_freed_memory()
    torch.set_num_threads(plan.threads)

    def validate(model: nn.Module) -> Scores:
        return {} if validation is None else curve_scores(answers(model, validation), validation.truth)

    watched = None if validation is None else WATCHED
    trainer = Trainer(lambda: new_net(start_from), defacing_loss, validate, plan, output, watched)
    if resume:
        trainer.load()
    trainer.run(batches(bank, plan.seed, trainer.step), quiet)
    return trainer.weights


def new_net(start_from: Path | None = None) -> DefacingNet:
    """A network with random weights, or with those of a checkpoint or of an exported network.

    Raises
    ------
    ValueError
        if the file holds another network.
    """
    if start_from is None:
        return DefacingNet()
    exported = start_from.suffix == ".onnx"
    net = begun(lambda: AnswerAlone(DefacingNet()), start_from).net if exported else begun(DefacingNet, start_from)
    net.temperature.fill_(1.0)
    return net


def finish(
    path: Path, bank: Bank, validation: Bank | None = None, seed: int = 1, *, quiet: bool = False
) -> DefacingNet:
    """The network of a checkpoint, its readers fitted to the training bank, its temperature to validation examples."""
    model = load_net(path, DefacingNet)
    fit_readers(model, bank, seed, quiet=quiet)
    if validation is not None:
        model.temperature.fill_(best_temperature(answers(model, validation), validation.truth))
    return model


def best_temperature(logits: Float32, truth: Float32) -> float:
    """Temperature that makes the labels likeliest (Guo 2017, ICML), among `TEMPERATURES`."""
    rows, right = np.arange(len(truth)), truth[:, 0].astype(int)
    classes = logits[:, : len(CLASSES)].astype(np.float64)
    losses = []
    for temperature in TEMPERATURES:
        scaled = classes / temperature
        losses.append(float((np.logaddexp.reduce(scaled, axis=1) - scaled[rows, right]).mean()))
    return float(TEMPERATURES[int(np.argmin(losses))])


def answers(model: nn.Module, bank: Bank) -> Float32:
    """Logits (N, outputs) for all examples of a bank."""
    rows: list[Tensor] = []
    with torch.no_grad():
        for first in range(0, len(bank), ASKED_AT_ONCE):
            rows.append(model.eval()(whole(bank, first, first + ASKED_AT_ONCE))[:, :N_OUTPUTS].float())
    result: Float32 = torch.cat(rows).numpy()
    return result


def curve_scores(logits: Float32, truth: Float32) -> Scores:
    """AUC of each class against the rest and their mean, balanced accuracy, AUC of each feature."""
    labels = truth[:, 0].astype(int)
    scores: Scores = {}
    for number, name in enumerate(CLASSES):
        positive = labels == number
        if positive.any() and not positive.all():
            margin = logits[:, number] - np.delete(logits[:, : len(CLASSES)], number, axis=1).max(axis=1)
            scores[name] = float(auc(positive, margin))
    if not scores:
        return {}
    told = logits[:, : len(CLASSES)].argmax(axis=1)
    everyone = [str(n) for n in range(len(labels))]
    table = confusion(labels.tolist(), told.tolist(), tuple(range(len(CLASSES))), everyone)
    mean = float(np.mean(list(scores.values())))
    for number, name in enumerate(FEATURES, start=1):
        known = np.isfinite(truth[:, number])
        left = truth[known, number] > 0.5
        if left.any() and not left.all():
            scores[f"{name}_left"] = float(auc(left, logits[known, len(CLASSES) + number - 1]))
    return scores | {"balanced_accuracy": float(balanced_accuracy(table.total)), WATCHED: mean}
