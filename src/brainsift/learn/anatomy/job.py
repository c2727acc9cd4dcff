"""The whole job behind `brainsift train anatomy`: train both networks, export, measure, write the cards."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from brainsift.anatomy.atlas_prior import prior_digest
from brainsift.anatomy.labels import N_TISSUES
from brainsift.anatomy.network import EDGES_MODEL, WHERE_MODEL, AnatomyNetwork, joint_digest
from brainsift.learn.anatomy.card import edges_card, where_card
from brainsift.learn.anatomy.edge_bank import FILES, Bank, load_bank, make_chunk, plan_chunks, unpack
from brainsift.learn.anatomy.edge_net import EdgeNet
from brainsift.learn.anatomy.edge_train import train_edges
from brainsift.learn.anatomy.evaluate import (
    CONDITIONS,
    MIXTURE,
    SHIPPED,
    ConditionResult,
    evaluate_anatomy,
    stages_of,
)
from brainsift.learn.anatomy.train import train_where
from brainsift.learn.building import build_folders
from brainsift.learn.export import export_onnx
from brainsift.learn.label_maps import LabelMapSplit, split_label_maps
from brainsift.learn.segmenter import Segmenter
from brainsift.learn.sides import TRAINING_BANK, VALIDATION_BANK, VALIDATION_SEED, Banks
from brainsift.learn.trainer import TrainingPlan, averaged_weights, load_net
from brainsift.models.checksums import sha256_of
from brainsift.models.registry import ANATOMY, ANATOMY_EDGES
from brainsift.models.session import load_onnx

CARD_IMAGES = 40
EXAMPLE_SIZE = (48, 56, 48)

WHERE, EDGES = "where", "edges"
"""Folders of the trainings."""

EDGES_VALIDATE_EVERY = 400
VALIDATION_CHUNKS_SHARE = 0.04


@dataclass(frozen=True)
class Course:
    """How the network that draws the edges is taught.

    Attributes
    ----------
    chunks : of its bank, of nine examples each.
    workers : processes that build the bank.
    where : ONNX file of a first network that is kept as it is; None to train one.
    begin : ONNX file whose weights are the first ones of the edge network; None for a new one.
    """

    chunks: int = 200
    workers: int = 1
    where: Path | None = None
    begin: Path | None = None


def train_and_export(
    folder: Path,
    output: Path,
    validation: Sequence[str],
    plan: TrainingPlan,
    course: Course | None = None,
    *,
    resume: bool = True,
    quiet: bool = False,
) -> tuple[Path, Path]:
    """Train both networks on the label maps of `folder`, one after the other, each for as long as `plan` says; write
    the ONNX files and, with validation maps, the cards to `output`.

    Returns
    -------
    paths of the ONNX files of both networks, ready for `brainsift models import`.
    """
    course = course or Course()
    split = split_label_maps(folder, validation)
    where = output / ANATOMY.file
    if course.where is None:
        trained = train_where(split.training, split.validation, output / WHERE, plan, resume=resume, quiet=quiet)
        export_where(trained, where)
    else:
        output.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(course.where, where)
    banks = build_banks(split, output, where, course, plan.seed, quiet=quiet)
    checkpoint = train_edges(
        banks.training,
        banks.validation,
        output / EDGES,
        replace(plan, validate_every=EDGES_VALIDATE_EVERY),
        begin=course.begin,
        resume=resume,
        quiet=quiet,
    )
    edges = export_edges(checkpoint, output / ANATOMY_EDGES.file, unpack(banks.training[0].witnesses))
    if split.validation:
        write_cards(output, split, banks.training, quiet=quiet, where_trained=course.where is None)
    return where, edges


def build_banks(
    split: LabelMapSplit, output: Path, where: Path, course: Course, seed: int, *, quiet: bool = False
) -> Banks[Bank]:
    """What the stages before say of heads to learn from and, of other people, to draw the curve with; what lies in
    `output` is used."""
    held_out = max(len(split.validation), round(VALIDATION_CHUNKS_SHARE * course.chunks)) if split.validation else 0
    jobs = {
        TRAINING_BANK: plan_chunks(split.training, where, course.chunks, seed),
        VALIDATION_BANK: plan_chunks(split.validation, where, held_out, VALIDATION_SEED + seed) if held_out else [],
    }
    build_folders(jobs, output, FILES.names, make_chunk, course.workers, quiet=quiet)
    return Banks(load_bank(output / TRAINING_BANK), load_bank(output / VALIDATION_BANK) if held_out else None, None)


def export_where(checkpoint: Path, path: Path) -> Path:
    """Export the first network's averaged weights to ONNX."""
    weights = averaged_weights(checkpoint)
    model = Segmenter(N_TISSUES)
    model.load_state_dict(weights)
    export_onnx(model, path, torch.rand((1, 1, *EXAMPLE_SIZE), generator=torch.Generator().manual_seed(0)))
    return path


def export_edges(checkpoint: Path, path: Path, example: Tensor) -> Path:
    """Export the edge network's averaged weights to ONNX; `example` is what it reads, (1, CHANNELS, x, y, z)."""
    export_onnx(load_net(checkpoint, EdgeNet), path, example)
    return path


def load_networks(folder: Path, threads: int | None = None) -> AnatomyNetwork:
    """The exported networks of a training folder."""
    paths = folder / ANATOMY.file, folder / ANATOMY_EDGES.file
    digest = joint_digest([*map(sha256_of, paths), prior_digest()])
    where, edges = (
        load_onnx(path, name, threads) for path, name in zip(paths, (WHERE_MODEL, EDGES_MODEL), strict=True)
    )
    return AnatomyNetwork(where, edges, WHERE_MODEL, digest)


def write_cards(
    output: Path,
    split: LabelMapSplit,
    bank: Bank,
    images: int = CARD_IMAGES,
    quiet: bool = False,
    where_trained: bool = True,
) -> None:
    """Measure the exported networks under every condition and write the cards: of the first one where it was trained,
    and of the one that draws the edges."""
    from rich.progress import Progress

    told = (MIXTURE, SHIPPED)
    stages = stages_of(load_networks(output))
    labellers = stages if where_trained else {name: stages[name] for name in told}
    results: dict[str, list[ConditionResult]] = {name: [] for name in labellers}
    with Progress(disable=quiet) as bar:
        job = bar.add_task("measuring", total=images * len(CONDITIONS))
        for condition in CONDITIONS:
            done = evaluate_anatomy(labellers, split.validation, condition, images, lambda: bar.update(job, advance=1))
            for name, result in done.items():
                results[name].append(result)
    people = split.training, split.validation
    if where_trained:
        before = {name: rows for name, rows in results.items() if name != SHIPPED}
        (output / ANATOMY.card).write_text(where_card(output, *people, before), encoding="utf-8")
    after = {name: results[name] for name in told}
    (output / ANATOMY_EDGES.card).write_text(edges_card(output, *people, after, bank), encoding="utf-8")
