"""Fine-tune the quality network on people's labels of their own scans."""

from __future__ import annotations

from pathlib import Path

from brainsift.evaluate.labels import read_labels
from brainsift.learn.building import read_with_bar, tell_failed
from brainsift.learn.quality.job import export_and_measure
from brainsift.learn.quality.labelled import Cutter, cut_with_anatomy, labelled_banks
from brainsift.learn.quality.train import train_quality
from brainsift.learn.sides import TRAINING_BANK
from brainsift.learn.trainer import TrainingPlan


def fine_tune(
    labels: Path,
    scans: Path,
    output: Path,
    plan: TrainingPlan,
    *,
    start_from: Path | None,
    freeze: str | None = None,
    resume: bool = True,
    cut: Cutter = cut_with_anatomy,
    quiet: bool = False,
) -> Path:
    """Read the labelled scans, train, export, and measure on the people kept aside; returns the ONNX file's path.

    Parameters
    ----------
    labels : ``labels.tsv``.
    scans : folder that its column `scan` is relative to.
    start_from : weights to start from; None for random ones.
    freeze : ``extractor`` to keep the convolutions as they are.
    cut : what makes slices of a volume.

    Raises
    ------
    LabelsError
        if the labels file cannot be used.
    ValueError
        if no labelled scan can be read.
    """
    rows, folder = read_labels(labels), output / TRAINING_BANK
    banks = read_with_bar(
        lambda show: labelled_banks(rows, scans, folder, plan.seed, cut=cut, progress=show), quiet=quiet
    )
    tell_failed(banks.failed)
    weights = train_quality(
        banks.training,
        banks.validation,
        output,
        plan,
        start_from=start_from,
        freeze=freeze,
        resume=resume,
        quiet=quiet,
    )
    return export_and_measure(weights, output, banks.training, banks.validation)
