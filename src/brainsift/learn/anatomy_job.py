"""The whole job behind `brainsift train anatomy`: train both networks, export, measure, write the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from brainsift.anatomy.labels import N_TISSUES
from brainsift.anatomy.network import EDGES_MODEL, WHERE_MODEL, AnatomyNetwork, joint_digest
from brainsift.learn.anatomy_card import card_text
from brainsift.learn.anatomy_evaluate import CONDITIONS, ConditionResult, evaluate_anatomy, stages_of
from brainsift.learn.anatomy_train import train_where
from brainsift.learn.edge_net import EdgeNet
from brainsift.learn.edge_train import train_edges
from brainsift.learn.export import export_onnx
from brainsift.learn.segmenter import Segmenter
from brainsift.learn.trainer import TrainingPlan
from brainsift.models.checksums import sha256_of
from brainsift.models.registry import ANATOMY, ANATOMY_EDGES
from brainsift.models.session import load_onnx

CARD_IMAGES = 40
EXAMPLE_SIZE = (48, 56, 48)
WHERE_SHARE = 0.45
"""Of the time: both curves were then about equally flat."""


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
    held_out = {p for p in maps for name in validation if p.name == name or p.name.startswith((f"{name}.", f"{name}_"))}
    missing = [v for v in validation if not any(p.name.startswith(v) for p in held_out)]
    if missing:
        raise ValueError(f"no label map is called {', '.join(missing)} in {folder}")
    return LabelMapSplit(tuple(p for p in maps if p not in held_out), tuple(sorted(held_out)))


def train_and_export(
    folder: Path,
    output: Path,
    validation: Sequence[str],
    plan: TrainingPlan,
    *,
    resume: bool = True,
    quiet: bool = False,
) -> list[Path]:
    """Train on the label maps of `folder`; write both ONNX files and, with validation maps, the card to `output`.

    `plan.steps` counts the steps of each network; `plan.minutes` is the time of both together.

    Returns
    -------
    paths of the ONNX files, ready for `brainsift models import`.
    """
    split = split_label_maps(folder, validation)
    minutes = plan.minutes
    first = replace(plan, minutes=minutes and WHERE_SHARE * minutes)
    second = replace(plan, minutes=minutes and (1 - WHERE_SHARE) * minutes)
    checkpoint = train_where(split.training, split.validation, output / "where", first, resume=resume, quiet=quiet)
    where = export_where(checkpoint, output / ANATOMY.file)
    checkpoint = train_edges(
        split.training, split.validation, where, output / "edges", second, resume=resume, quiet=quiet
    )
    edges = export_edges(checkpoint, output / ANATOMY_EDGES.file)
    if split.validation:
        write_card(output, split, quiet=quiet)
    return [where, edges]


def export_where(checkpoint: Path, path: Path) -> Path:
    """Export the averaged weights of the first network to ONNX."""
    return _export(checkpoint, path, lambda: Segmenter(N_TISSUES), 1)


def export_edges(checkpoint: Path, path: Path) -> Path:
    """Export the averaged weights of the second network to ONNX."""
    return _export(checkpoint, path, lambda: EdgeNet(N_TISSUES), 1 + 2 * N_TISSUES)


def _export(checkpoint: Path, path: Path, make: Callable[[], nn.Module], channels: int) -> Path:
    weights: dict[str, Tensor] = torch.load(checkpoint, map_location="cpu", weights_only=True)["average"]
    model = make()
    model.load_state_dict(weights)
    example = torch.rand((1, channels, *EXAMPLE_SIZE), generator=torch.Generator().manual_seed(0))
    export_onnx(model, path, example)
    return path


def load_networks(folder: Path, threads: int | None = None) -> AnatomyNetwork:
    """The exported networks of a training folder."""
    paths = [folder / ANATOMY.file, folder / ANATOMY_EDGES.file]
    digest = joint_digest(map(sha256_of, paths))
    where, edges = (load_onnx(p, n, threads) for p, n in zip(paths, (WHERE_MODEL, EDGES_MODEL), strict=True))
    return AnatomyNetwork(where, edges, WHERE_MODEL, digest)


def write_card(output: Path, split: LabelMapSplit, images: int = CARD_IMAGES, quiet: bool = False) -> Path:
    """Measure the exported networks under every condition and write the model card."""
    from rich.progress import Progress

    labellers = stages_of(load_networks(output))
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
