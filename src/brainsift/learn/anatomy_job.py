"""The whole job behind `brainsift train anatomy`: train the network, export, measure, write the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from brainsift.anatomy.atlas_prior import prior_digest
from brainsift.anatomy.labels import N_TISSUES
from brainsift.anatomy.network import WHERE_MODEL, AnatomyNetwork, joint_digest
from brainsift.learn.anatomy_card import card_text
from brainsift.learn.anatomy_evaluate import CONDITIONS, ConditionResult, evaluate_anatomy, stages_of
from brainsift.learn.anatomy_train import train_where
from brainsift.learn.export import export_onnx
from brainsift.learn.segmenter import Segmenter
from brainsift.learn.trainer import TrainingPlan, averaged_weights
from brainsift.models.checksums import sha256_of
from brainsift.models.registry import ANATOMY
from brainsift.models.session import load_onnx

CARD_IMAGES = 40
EXAMPLE_SIZE = (48, 56, 48)


@dataclass(frozen=True)
class LabelMapSplit:
    """Label maps to train on and to validate with; no person is in both."""

    training: tuple[Path, ...]
    validation: tuple[Path, ...]


def split_label_maps(folder: Path, validation: Sequence[str]) -> LabelMapSplit:
    """Sort the NIfTI label maps of `folder`; `validation` names files, with or without their extension.

    Raises
    ------
    ValueError
        if there is no label map, or a name fits none of them.
    """
    maps = sorted(p for p in folder.iterdir() if p.name.endswith((".nii", ".nii.gz", ".mgz")))
    if not maps:
        raise ValueError(f"there is no label map in {folder}: give a folder of .nii, .nii.gz or .mgz files")
    called = {v: [p for p in maps if p.name == v or p.name.startswith((f"{v}.", f"{v}_"))] for v in validation}
    missing = [name for name, found in called.items() if not found]
    if missing:
        raise ValueError(f"no label map is called {', '.join(missing)} in {folder}")
    held_out = {p for found in called.values() for p in found}
    return LabelMapSplit(tuple(p for p in maps if p not in held_out), tuple(sorted(held_out)))


def train_and_export(
    folder: Path,
    output: Path,
    validation: Sequence[str],
    plan: TrainingPlan,
    *,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train on the label maps of `folder`; write the ONNX file and, with validation maps, the card to `output`.

    Returns
    -------
    path of the ONNX file, ready for `brainsift models import`.
    """
    split = split_label_maps(folder, validation)
    checkpoint = train_where(split.training, split.validation, output / "where", plan, resume=resume, quiet=quiet)
    path = export_where(checkpoint, output / ANATOMY.file)
    if split.validation:
        write_card(output, split, quiet=quiet)
    return path


def export_where(checkpoint: Path, path: Path) -> Path:
    """Export the averaged weights to ONNX."""
    weights = averaged_weights(checkpoint)
    model = Segmenter(N_TISSUES)
    model.load_state_dict(weights)
    export_onnx(model, path, torch.rand((1, 1, *EXAMPLE_SIZE), generator=torch.Generator().manual_seed(0)))
    return path


def load_network(folder: Path, threads: int | None = None) -> AnatomyNetwork:
    """The exported network of a training folder."""
    path = folder / ANATOMY.file
    digest = joint_digest([sha256_of(path), prior_digest()])
    return AnatomyNetwork(load_onnx(path, WHERE_MODEL, threads), WHERE_MODEL, digest)


def write_card(output: Path, split: LabelMapSplit, images: int = CARD_IMAGES, quiet: bool = False) -> Path:
    """Measure the exported network under every condition and write the model card."""
    from rich.progress import Progress

    labellers = stages_of(load_network(output))
    results: dict[str, list[ConditionResult]] = {name: [] for name in labellers}
    with Progress(disable=quiet) as bar:
        job = bar.add_task("measuring", total=images * len(CONDITIONS))
        for condition in CONDITIONS:
            done = evaluate_anatomy(labellers, split.validation, condition, images, lambda: bar.update(job, advance=1))
            for name, result in done.items():
                results[name].append(result)
    card = output / ANATOMY.card
    card.write_text(card_text(output, split.training, split.validation, results), encoding="utf-8")
    return card
