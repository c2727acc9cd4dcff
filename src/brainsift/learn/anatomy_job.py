"""The whole job behind `brainsift train anatomy`: train, export, measure, write the card."""

from __future__ import annotations

import csv
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from brainsift import __version__
from brainsift.anatomy.labels import N_TISSUES
from brainsift.anatomy.network import AnatomyNetwork
from brainsift.learn.anatomy_evaluate import CONDITIONS, ConditionResult, evaluate_anatomy
from brainsift.learn.anatomy_train import CHECKPOINT, CURVE, TrainingPlan, train_anatomy
from brainsift.learn.export import export_onnx
from brainsift.learn.segmenter import Segmenter
from brainsift.models.checksums import sha256_of
from brainsift.models.session import load_onnx

MODEL_FILE = "anatomy.onnx"
CARD_FILE = "anatomy.md"
CARD_IMAGES = 40
EXAMPLE_SHAPE = (1, 1, 80, 96, 80)


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
) -> Path:
    """Train on the label maps of `folder`, write `anatomy.onnx` and its card `anatomy.md` to `output`.

    Returns
    -------
    path of the ONNX file, ready for `brainsift models import`.
    """
    split = split_label_maps(folder, validation)
    checkpoint = train_anatomy(split.training, split.validation, output, plan, resume=resume, quiet=quiet)
    model = export_checkpoint(checkpoint, output / MODEL_FILE)
    if split.validation:
        write_card(output, split, quiet=quiet)
    return model


def export_checkpoint(checkpoint: Path, path: Path) -> Path:
    """Export the averaged weights of a checkpoint to ONNX."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = Segmenter(N_TISSUES, tuple(state["config"]["widths"]), state["config"]["last"])
    model.load_state_dict(state["average"])
    generator = torch.Generator().manual_seed(0)
    export_onnx(model, path, torch.rand(EXAMPLE_SHAPE, generator=generator))
    return path


def write_card(output: Path, split: LabelMapSplit, images: int = CARD_IMAGES, quiet: bool = False) -> Path:
    """Measure the exported network under every condition and write the model card."""
    from rich.progress import Progress

    network = AnatomyNetwork(load_onnx(output / MODEL_FILE, "anatomy"), "anatomy", sha256_of(output / MODEL_FILE))
    results: dict[bool, list[ConditionResult]] = {True: [], False: []}
    with Progress(disable=quiet) as bar:
        job = bar.add_task("measuring", total=2 * images * len(CONDITIONS))
        for condition in CONDITIONS:
            for refine in results:
                done = evaluate_anatomy(
                    network, split.validation, condition, images, refine, lambda: bar.update(job, advance=1)
                )
                results[refine].append(done)
    state = torch.load(output / CHECKPOINT, map_location="cpu", weights_only=True)
    card = output / CARD_FILE
    card.write_text(_card_text(output, split, state, results, network.model_sha256), encoding="utf-8")
    return card


def _card_text(
    output: Path,
    split: LabelMapSplit,
    state: dict[str, Any],
    results: dict[bool, list[ConditionResult]],
    sha256: str,
) -> str:
    plan = state["plan"]
    lines = [
        "# Model card: anatomy",
        "",
        f"Ten tissue classes at 2 mm from one scan of any contrast. File `{MODEL_FILE}`, SHA-256 `{sha256}`.",
        "",
        "## What it saw",
        "",
        f"Only simulated images, from {len(split.training)} label maps ({', '.join(_names(split.training))}); ",
        f"{len(split.validation)} others ({', '.join(_names(split.validation))}) were kept for validation. "
        "No real scan was shown to it.",
        "",
        "## How it was trained",
        "",
        f"{state['step']:,} steps of one whole head each, {state['seconds'] / 60:.0f} minutes on {plan['device']} "
        f"({plan['threads']} threads, {platform.machine()}, shared with other work), seed {plan['seed']}, "
        f"PyTorch {torch.__version__}, BrainSift {__version__}. AdamW, cosine decay, averaged weights; "
        "weights stored as float16.",
        "",
        "Validation during training (mean Dice of the same 16 simulated heads):",
        "",
        *_curve_table(output / CURVE),
        "",
        "## Results on simulated scans of the validation people",
        "",
        "Dice, mean [95 % interval, people resampled]. These are simulated scans: no figure here is clinical.",
        "",
        "### As shipped: network, then edges from the image",
        "",
        *_result_table(results[True]),
        "",
        "### Network alone",
        "",
        *_result_table(results[False]),
        "",
    ]
    return "\n".join(lines)


def _names(paths: Sequence[Path]) -> list[str]:
    return [p.name.split("_labels")[0].split(".")[0] for p in paths]


def _curve_table(path: Path, rows: int = 12) -> list[str]:
    with path.open() as file:
        curve = list(csv.DictReader(file))
    step = max(1, len(curve) // rows)
    chosen = curve[::-1][::step][::-1]
    lines = ["| step | minutes | loss | brain | mean tissue |", "|---|---|---|---|---|"]
    return lines + [
        f"| {r['step']} | {r['minutes']} | {r['loss']} | {r['brain']} | {r['mean_tissue']} |" for r in chosen
    ]


def _result_table(results: Sequence[ConditionResult]) -> list[str]:
    names = list(results[0].dice)
    names = ["brain", "mean_tissue", *(n for n in names if n not in ("brain", "mean_tissue", "head"))]
    lines = [
        f"| scans | n (people) | {' | '.join(n.replace('_', ' ') for n in names)} |",
        "|---" * (len(names) + 2) + "|",
    ]
    for r in results:
        lines.append(f"| {r.condition} | {r.images} ({r.people}) | {' | '.join(str(r.dice[n]) for n in names)} |")
    return lines
