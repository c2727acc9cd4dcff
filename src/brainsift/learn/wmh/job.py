"""The whole job behind `brainsift train wmh`: build the banks, train, choose the threshold, export, measure, card."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from brainsift.evaluate.labels import read_labels
from brainsift.learn.anatomy_job import LabelMapSplit
from brainsift.learn.building import build_folders, read_with_bar, tell_failed
from brainsift.learn.export import export_onnx
from brainsift.learn.trainer import MakeNet, TrainingPlan, load_net
from brainsift.learn.wmh.bank import Bank, chunk_names, load_bank
from brainsift.learn.wmh.batches import Lessons
from brainsift.learn.wmh.build import make_chunk, plan_chunks
from brainsift.learn.wmh.card import write_card
from brainsift.learn.wmh.crops import Shape, cut_input, draw_cut
from brainsift.learn.wmh.labelled import labelled_banks
from brainsift.learn.wmh.measure import figures, measure
from brainsift.learn.wmh.net import WmhNet
from brainsift.learn.wmh.predict import asker, onnx_asker
from brainsift.learn.wmh.preparing import Preparer, prepare_with_anatomy
from brainsift.learn.wmh.settings import Settings, choose_settings
from brainsift.learn.wmh.supervise import needs_truth
from brainsift.learn.wmh.train import train_twice, train_wmh
from brainsift.tasks.wmh.network import MODEL

MODEL_FILE, CARD_FILE = f"{MODEL}.onnx", f"{MODEL}.md"
TRAINING_BANK, VALIDATION_BANK, FRESH_BANK = "bank", "bank_validation", "bank_fresh"

VALIDATION_SHARE = 0.1
"""Of the chunks, to choose weights and threshold with, and as many again to measure with; their seeds differ from each
other's and from training's."""

MIN_HELD_OUT = 4
VALIDATION_SEED, FRESH_SEED = 900_000, 1_800_000

EXPORT_SHAPE: Shape = (96, 96, 96)
"""Of the crop that the exported network is compared on with the trained one."""


@dataclass(frozen=True, eq=False)
class Banks:
    """Examples to learn from, to choose with and to measure with; the last two None where nobody is kept aside."""

    training: Bank
    validation: Bank | None
    fresh: Bank | None


@dataclass(frozen=True)
class Simulation:
    """How the banks of simulated people are drawn.

    Attributes
    ----------
    split : label maps to learn from, and of validation people.
    shapes : folder of real lesion masks, or None.
    chunks : of the training bank, of four people each.
    bad_label_share : of the training labels are grossly wrong; those to measure with never are.
    """

    split: LabelMapSplit
    shapes: Path | None = None
    chunks: int = 100
    bad_label_share: float = 0.0


def build_banks(simulation: Simulation, output: Path, seed: int, workers: int = 1, *, quiet: bool = False) -> Banks:
    """Build what is missing of the banks; the small ones first, so that a training may begin at any time.

    Raises
    ------
    ValueError
        if there is no label map to learn from.
    """
    held_out = max(MIN_HELD_OUT, round(VALIDATION_SHARE * simulation.chunks))
    plan = partial(plan_chunks, shapes=simulation.shapes)
    jobs = {}
    if simulation.split.validation:
        jobs[VALIDATION_BANK] = plan(simulation.split.validation, held_out, VALIDATION_SEED + 1000 * seed)
        jobs[FRESH_BANK] = plan(simulation.split.validation, held_out, FRESH_SEED + 1000 * seed)
    bad = simulation.bad_label_share
    jobs[TRAINING_BANK] = plan(simulation.split.training, simulation.chunks, 1000 * seed, bad_label_share=bad)
    build_folders(jobs, output, chunk_names, make_chunk, workers, quiet=quiet)
    return load_banks(output)


def load_banks(output: Path) -> Banks:
    """The banks that lie in `output`.

    Raises
    ------
    ValueError
        if there is none to learn from.
    """
    others = [load_bank(output / name) if (output / name).is_dir() else None for name in (VALIDATION_BANK, FRESH_BANK)]
    return Banks(load_bank(output / TRAINING_BANK), *others)


def read_banks(
    labels: Path,
    scans: Path,
    output: Path,
    seed: int,
    *,
    prepared: Preparer = prepare_with_anatomy,
    quiet: bool = False,
) -> Banks:
    """Banks from people's labels; what validates also measures, because labels are dear.

    Raises
    ------
    LabelsError
        if the labels file cannot be used.
    ValueError
        if no labelled scan can be used.
    """
    read = partial(
        labelled_banks, read_labels(labels), labels.parent, scans, output / TRAINING_BANK, seed, prepared=prepared
    )
    banks = read_with_bar(lambda show: read(progress=show), quiet=quiet)
    tell_failed(banks.failed)
    return Banks(banks.training, banks.validation, banks.validation)


def train_and_export(
    banks: Banks,
    output: Path,
    plan: TrainingPlan,
    lessons: Lessons,
    *,
    two_steps: bool = True,
    resume: bool = True,
    quiet: bool = False,
    make: MakeNet = WmhNet,
) -> Path:
    """Train, write the ONNX file with its settings and, with people kept aside, the card.

    Two steps need coarse labels; with the truth on the fine grid there is nothing to doubt, and one step is taken.

    Returns
    -------
    path of the ONNX file, ready for `brainsift models import`.
    """
    train = train_twice if two_steps and not needs_truth(lessons.supervision) else train_wmh
    weights = train(banks.training, banks.validation, output, plan, lessons, resume=resume, quiet=quiet, make=make)
    return export_and_measure(weights, banks, output, lessons, make=make)


def export_and_measure(weights: Path, banks: Banks, output: Path, lessons: Lessons, *, make: MakeNet = WmhNet) -> Path:
    """Choose the settings on validation scans, export, and measure the exported file on the people kept aside."""
    net = load_net(weights, make)
    settings = Settings() if banks.validation is None else choose_settings(asker(net), banks.validation)
    path = output / MODEL_FILE
    export_onnx(net, path, export_example(banks.training), metadata=settings.metadata())
    if banks.fresh is not None:
        measured = figures(*measure(onnx_asker(path), banks.fresh, settings))
        write_card(output / CARD_FILE, path, output, banks.training, banks.fresh, measured, lessons, settings)
    return path


def export_example(bank: Bank) -> torch.Tensor:
    """A crop about a lesion, float32 (1, channels, X, Y, Z)."""
    example = bank[0]
    return torch.from_numpy(cut_input(example, draw_cut(np.random.default_rng(0), example, EXPORT_SHAPE))[None])
