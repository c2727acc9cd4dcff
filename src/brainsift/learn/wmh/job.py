"""The whole job behind `brainsift train wmh`: build the banks, train, choose the threshold, export, measure, card."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from brainsift.learn.building import build_folders
from brainsift.learn.export import export_onnx
from brainsift.learn.sides import (
    FRESH_BANK,
    FRESH_SEED,
    TRAINING_BANK,
    VALIDATION_BANK,
    VALIDATION_SEED,
    Banks,
    held_out_chunks,
    load_sides,
)
from brainsift.learn.sources import Sources
from brainsift.learn.trainer import MakeNet, TrainingPlan, load_net
from brainsift.learn.wmh.bank import Bank, chunk_names, load_bank
from brainsift.learn.wmh.batches import Lessons
from brainsift.learn.wmh.build import make_chunk, plan_chunks
from brainsift.learn.wmh.card import write_card
from brainsift.learn.wmh.crops import Shape, cut_input, draw_cut
from brainsift.learn.wmh.measure import figures
from brainsift.learn.wmh.net import WmhNet
from brainsift.learn.wmh.predict import asker, onnx_asker
from brainsift.learn.wmh.settings import Settings, choose_settings
from brainsift.learn.wmh.supervise import needs_truth
from brainsift.learn.wmh.train import train_twice, train_wmh
from brainsift.tasks.wmh.network import MODEL

MODEL_FILE, CARD_FILE = f"{MODEL}.onnx", f"{MODEL}.md"

VALIDATION_SHARE = 0.1
"""Of the chunks, to choose weights and threshold with, and as many again to measure with; their seeds differ from each
other's and from training's."""

EXPORT_SHAPE: Shape = (96, 96, 96)
"""Of the crop that the exported network is compared on with the trained one."""


@dataclass(frozen=True)
class Simulation:
    """How the banks of simulated people are drawn.

    Attributes
    ----------
    sources : label maps, and clean real T1w scans to paint lesions into; those to learn from and those of validation.
    shapes : folder of real lesion masks, or None.
    chunks : of the training bank, of four people each.
    bad_label_share : of the training labels are grossly wrong; those to measure with never are.
    """

    sources: Sources
    shapes: Path | None = None
    chunks: int = 100
    bad_label_share: float = 0.0


def build_banks(
    simulation: Simulation, output: Path, seed: int, workers: int = 1, *, quiet: bool = False
) -> Banks[Bank]:
    """Build what is missing of the banks; the small ones first, so that a training may begin at any time.

    Raises
    ------
    ValueError
        if there is no label map to learn from.
    """
    held_out = held_out_chunks(simulation.chunks, VALIDATION_SHARE)
    sources, bad = simulation.sources, simulation.bad_label_share
    plan = partial(plan_chunks, shapes=simulation.shapes)
    aside = partial(plan, sources.validation_maps, held_out, brains=sources.validation_scans)
    jobs = {}
    if sources.validation_maps:
        jobs[VALIDATION_BANK] = aside(VALIDATION_SEED + 1000 * seed)
        jobs[FRESH_BANK] = aside(FRESH_SEED + 1000 * seed)
    jobs[TRAINING_BANK] = plan(
        sources.label_maps, simulation.chunks, 1000 * seed, brains=sources.scans, bad_label_share=bad
    )
    build_folders(jobs, output, chunk_names, make_chunk, workers, quiet=quiet)
    return load_sides(output, load_bank)


def train_and_export(
    banks: Banks[Bank],
    output: Path,
    plan: TrainingPlan,
    lessons: Lessons,
    *,
    two_steps: bool = True,
    start_from: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
    make: MakeNet = WmhNet,
) -> Path:
    """Train, write the ONNX file with its settings and, with people kept aside, the card.

    Two steps need coarse labels; with the truth on the fine grid there is nothing to doubt, and one step is taken.

    Parameters
    ----------
    start_from : checkpoint or exported network whose weights are the first ones.

    Returns
    -------
    path of the ONNX file, ready for `brainsift models import`.
    """
    train = train_twice if two_steps and not needs_truth(lessons.supervision) else train_wmh
    weights = train(
        banks.training,
        banks.validation,
        output,
        plan,
        lessons,
        start_from=start_from,
        resume=resume,
        quiet=quiet,
        make=make,
    )
    return export_and_measure(weights, banks, output, lessons, make=make)


def export_and_measure(
    weights: Path, banks: Banks[Bank], output: Path, lessons: Lessons, *, make: MakeNet = WmhNet
) -> Path:
    """Choose the settings on validation scans, export, and measure the exported file on the people kept aside."""
    net = load_net(weights, make)
    settings = Settings() if banks.validation is None else choose_settings(asker(net), banks.validation)
    path = output / MODEL_FILE
    export_onnx(net, path, export_example(banks.training), metadata=settings.metadata())
    if banks.fresh is not None:
        measured = figures(onnx_asker(path), banks.fresh, settings)
        write_card(output / CARD_FILE, path, output, banks.training, banks.fresh, measured, lessons, settings)
    return path


def export_example(bank: Bank) -> torch.Tensor:
    """A crop about a lesion, float32 (1, channels, X, Y, Z)."""
    example = bank[0]
    return torch.from_numpy(cut_input(example, draw_cut(np.random.default_rng(0), example, EXPORT_SHAPE))[None])
