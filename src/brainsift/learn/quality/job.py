"""The whole job behind `brainsift train quality`: build the bank, train, export, measure, write the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from brainsift.learn.building import build_folders
from brainsift.learn.export import export_onnx
from brainsift.learn.people import person_of
from brainsift.learn.quality.bank import Bank, chunk_names, load_bank
from brainsift.learn.quality.build import ChunkJob, make_chunk, plan_chunks
from brainsift.learn.quality.card import write_card
from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.platt import fit_platt, fold_platt
from brainsift.learn.quality.train import answers, load_weights, train_quality
from brainsift.learn.sides import TRAINING_BANK, VALIDATION_BANK, VALIDATION_SEED, held_out_chunks, load_sides
from brainsift.learn.trainer import TrainingPlan
from brainsift.tasks.quality.network import MODEL

MODEL_FILE, CARD_FILE = f"{MODEL}.onnx", f"{MODEL}.md"

VALIDATION_SHARE = 0.2
"""Of the chunks; their seeds are never those of training."""


@dataclass(frozen=True)
class Sources:
    """Where examples come from, the people of each side apart.

    Attributes
    ----------
    label_maps, scans : to learn from.
    validation_maps, validation_scans : to choose weights and to measure with.
    """

    label_maps: tuple[Path, ...]
    scans: tuple[Path, ...]
    validation_maps: tuple[Path, ...]
    validation_scans: tuple[Path, ...]

    def jobs(self, chunks: int, seed: int) -> tuple[list[ChunkJob], list[ChunkJob]]:
        """Chunks to learn from and to validate with."""
        training = plan_chunks(self.label_maps, self.scans, chunks, seed)
        if not self.validation_maps and not self.validation_scans:
            return training, []
        held_out = held_out_chunks(chunks, VALIDATION_SHARE)
        return training, plan_chunks(self.validation_maps, self.validation_scans, held_out, VALIDATION_SEED + seed)


def find_sources(label_maps: Path | None, scans: Path | None, validation: Sequence[str]) -> Sources:
    """Sort label maps and clean scans of two folders; `validation` names those kept for validation.

    A name is a file name with or without its ending, ``head_17`` for ``head_17_labels.nii.gz``. In the folder of scans,
    a table ``manifest.tsv`` may say which are clean: skull-stripped 3D T1w scans are taken, all where there is none.

    Raises
    ------
    ValueError
        if a folder holds nothing that can be used, or a name fits no file.
    """
    maps = _images(label_maps)
    real = [p for p in _images(scans) if scans is None or _is_clean(scans, p)]
    if not maps and not real:
        raise ValueError("there is neither a label map nor a clean scan: give `--label-maps`, `--real-scans` or both")
    names = set(validation)
    found = {name for name in names for p in (*maps, *real) if name in (p.name, p.name.split(".")[0], person_of(p))}
    if names - found:
        raise ValueError(f"no label map or scan is called {', '.join(sorted(names - found))}")

    def held_out(path: Path) -> bool:
        return bool(names & {path.name, path.name.split(".")[0], person_of(path)})

    return Sources(
        tuple(p for p in maps if not held_out(p)),
        tuple(p for p in real if not held_out(p)),
        tuple(p for p in maps if held_out(p)),
        tuple(p for p in real if held_out(p)),
    )


def _images(folder: Path | None) -> list[Path]:
    return [] if folder is None else sorted(p for p in folder.iterdir() if p.name.endswith((".nii", ".nii.gz", ".mgz")))


def _is_clean(folder: Path, path: Path) -> bool:
    import csv

    table = folder / "manifest.tsv"
    if not table.exists():
        return True
    with table.open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    row = rows.get(path.name, {})
    return (row.get("sequence"), row.get("dimension"), row.get("skull_stripped")) == ("T1w", "3D", "yes")


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
    training, validation = sources.jobs(chunks, 1000 * seed)
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
