"""The whole job behind `brainsift train quality --source ... --target ...`: read, train, export, measure, card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from rich.progress import Progress

from brainsift.learn.adapt.card import card_text
from brainsift.learn.adapt.lessons import Lessons
from brainsift.learn.adapt.measure import target_figures
from brainsift.learn.adapt.net import quality_weights
from brainsift.learn.adapt.reading import Given, read_domains
from brainsift.learn.adapt.train import train_adapted
from brainsift.learn.building import tell_failed
from brainsift.learn.figure import Figure
from brainsift.learn.quality.bank import Bank
from brainsift.learn.quality.job import CARD_FILE, MODEL_FILE, export_quality
from brainsift.learn.quality.labelled import Cutter, cut_with_anatomy
from brainsift.learn.quality.measure import ask_all, figures
from brainsift.learn.trainer import TrainingPlan, averaged_weights
from brainsift.models.checksums import sha256_of

EXPORTED = "target.pt"
"""Weights of the quality network with the target head, as they are exported."""


def adapt(
    given: Given,
    output: Path,
    plan: TrainingPlan,
    lessons: Lessons | None = None,
    *,
    start_from: Path | None = None,
    resume: bool = True,
    cut: Cutter = cut_with_anatomy,
    quiet: bool = False,
) -> Path:
    """Read both domains, train, export with the target head, and measure; returns the path of the ONNX file.

    Everything in `output` is used again by a second call: slices that were cut, and the last checkpoint.

    Parameters
    ----------
    start_from : weights to start from; None for random ones.
    cut : what makes slices of a volume.

    Raises
    ------
    LabelsError
        if a labels file cannot be used.
    ValueError
        if a part that was given holds no scan that can be read.
    """
    lessons = lessons or Lessons()
    with Progress(disable=quiet) as bar:
        tasks = {name: bar.add_task(f"reading {name} scans", total=None) for name in ("target", "source", "unlabelled")}
        read = read_domains(given, output, plan.seed, cut=cut, progress=lambda n, k: bar.update(tasks[n], completed=k))
    tell_failed(read.failed)
    weights = train_adapted(
        read.domains, read.validation, output, plan, lessons, start_from=start_from, resume=resume, quiet=quiet
    )
    path = export_target(weights, output, read.validation)
    text = card_text(
        path,
        output,
        read.domains,
        read.validation,
        lessons,
        [] if read.validation is None else measured_figures(path, read.validation, start_from),
        None if start_from is None else sha256_of(start_from),
    )
    (output / CARD_FILE).write_text(text + "\n", encoding="utf-8")
    return path


def export_target(weights: Path, output: Path, validation: Bank | None = None) -> Path:
    """Write the ONNX file of extractor and target head: a quality network like any other to `models import` and `run`.

    Parameters
    ----------
    validation : scans of the target that its answers are fitted to, as those of every quality network.

    Raises
    ------
    RuntimeError
        if ONNX Runtime would answer otherwise.
    """
    stored = averaged_weights(weights)
    torch.save({"average": quality_weights(stored)}, output / EXPORTED)
    return export_quality(output / EXPORTED, output / MODEL_FILE, validation)


def measured_figures(path: Path, validation: Bank, start_from: Path | None) -> list[Figure]:
    """What is reached on the people kept aside, after the adaptation and, for the two main questions, before it."""
    after = ask_all(path, validation)
    found = target_figures(after, validation, "adapted")
    if start_from is not None and start_from.suffix == ".onnx":
        found += target_figures(ask_all(start_from, validation), validation, "before adaptation")
    return found + [replace(figure, scans="adapted") for figure in figures(after, validation)]
