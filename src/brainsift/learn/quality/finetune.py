"""Fine-tune the quality network on people's labels of their own scans."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from brainsift.evaluate.labels import read_labels
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
    with Progress(disable=quiet) as bar:
        task = bar.add_task("reading scans", total=None)
        banks = labelled_banks(
            read_labels(labels),
            scans,
            output / TRAINING_BANK,
            plan.seed,
            cut=cut,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for scan, reason in banks.failed.items():
        Console(stderr=True).print(f"{scan}: {reason}", markup=False)
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
