"""The whole job behind `brainsift train quality`: build the bank, train, export, measure, write the card."""

from __future__ import annotations

from pathlib import Path

import torch

from brainsift.learn.building import build_folders
from brainsift.learn.export import export_onnx
from brainsift.learn.quality.bank import Bank, chunk_names, load_bank
from brainsift.learn.quality.build import ChunkJob, make_chunk, plan_chunks
from brainsift.learn.quality.card import write_card
from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.platt import fit_platt, fold_platt
from brainsift.learn.quality.train import answers, load_weights, train_quality
from brainsift.learn.sides import TRAINING_BANK, VALIDATION_BANK, VALIDATION_SEED, held_out_chunks, load_sides
from brainsift.learn.sources import Sources
from brainsift.learn.trainer import TrainingPlan
from brainsift.tasks.quality.network import MODEL

MODEL_FILE, CARD_FILE = f"{MODEL}.onnx", f"{MODEL}.md"

VALIDATION_SHARE = 0.2
"""Of the chunks; their seeds are never those of training."""


def plan_sides(sources: Sources, chunks: int, seed: int) -> tuple[list[ChunkJob], list[ChunkJob]]:
    """Chunks to learn from and to validate with."""
    training = plan_chunks(sources.label_maps, sources.scans, chunks, seed)
    if not sources.validation_maps and not sources.validation_scans:
        return training, []
    held_out = held_out_chunks(chunks, VALIDATION_SHARE)
    return training, plan_chunks(sources.validation_maps, sources.validation_scans, held_out, VALIDATION_SEED + seed)


def train_and_export(
    sources: Sources,
    output: Path,
    plan: TrainingPlan,
    *,
    chunks: int,
    workers: int = 2,
    start_from: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Build the bank in `output`, train on it, write ONNX file and, with validation people, the card.

    Returns
    -------
    path of the ONNX file, ready for `brainsift models import`.
    """
    build(sources, output, plan.seed, chunks, workers, quiet=quiet)
    banks = load_sides(output, load_bank)
    weights = train_quality(
        banks.training, banks.validation, output, plan, start_from=start_from, resume=resume, quiet=quiet
    )
    return export_and_measure(weights, output, banks.training, banks.validation)


def build(sources: Sources, output: Path, seed: int, chunks: int, workers: int = 2, *, quiet: bool = False) -> None:
    """Build what is missing of both banks."""
    training, validation = plan_sides(sources, chunks, 1000 * seed)
    jobs = {VALIDATION_BANK: validation, TRAINING_BANK: training}
    build_folders(jobs, output, chunk_names, make_chunk, workers, quiet=quiet)


def export_and_measure(weights: Path, output: Path, bank: Bank, validation: Bank | None) -> Path:
    """Write the ONNX file of the averaged weights and, with a validation bank, the card with what they reach on it."""
    path = export_quality(weights, output / MODEL_FILE, validation)
    if validation is not None:
        write_card(output / CARD_FILE, path, output, bank, validation)
    return path


def export_quality(weights: Path, path: Path, validation: Bank | None = None) -> Path:
    """Export to ONNX; with a validation bank, its answers are fitted to that first, see `fit_platt`.

    Raises
    ------
    RuntimeError
        where ONNX Runtime would answer otherwise.
    """
    model = QualityNet()
    model.load_state_dict(load_weights(weights))
    if validation is not None:
        fold_platt(model, fit_platt(answers(model, validation)[:, 0], validation.truth))
    generator = torch.Generator().manual_seed(0)
    export_onnx(model, path, torch.rand((1, 24, 224, 192), generator=generator), labels_voxels=False)
    return path
