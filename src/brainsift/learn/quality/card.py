"""The text of the quality model's card."""

from __future__ import annotations

import csv
import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from brainsift import __version__
from brainsift.learn.quality.bank import Bank
from brainsift.learn.quality.measure import Figure, ask_all, figures
from brainsift.learn.trainer import CHECKPOINT, CURVE
from brainsift.models.checksums import sha256_of

NOTES = "notes.md"
"""Beside checkpoint and curve: what only people know, such as where the data are from, under which licence, and what
was changed during a training."""

CURVE_ROWS = 12
CURVE_COLUMNS = ("step", "minutes", "loss", "motion_at_least_2", "noise_at_least_2", "sequence", "mean_auc")


def write_card(path: Path, model: Path, folder: Path, bank: Bank, validation: Bank) -> Path:
    """Measure the exported model on the validation bank and write its card; `folder` holds checkpoint, curve and
    perhaps notes."""
    measured = figures(ask_all(model, validation), validation)
    path.write_text(card_text(model, folder, bank, validation, measured), encoding="utf-8")
    return path


def card_text(model: Path, folder: Path, bank: Bank, validation: Bank, measured: Sequence[Figure]) -> str:
    """Markdown: what the network saw, how it was trained, what was measured."""
    lines = [
        "# Model card: quality",
        "",
        "Whether a scan is proper, its sequence, gadolinium, and motion, noise and loss of contrast as scores from 0 "
        "to 2, from 24 slices at 1 mm.",
        "",
        f"- `{model.name}`, SHA-256 `{sha256_of(model)}`",
        "",
        "## What it saw",
        "",
        f"{_examples(bank)} Kept for validation: {_examples(validation)}",
        "",
        "| what was done | examples to learn from | to validate with |",
        "|---|---|---|",
        *_counts(bank, validation),
        "",
        *_notes(folder),
        "## How it was trained",
        "",
        *_training(folder),
        "## Results on people that it has not seen",
        "",
        "Every artefact here is simulated, on simulated heads or on clean real scans. Simulated motion makes a "
        "detector look better than it is (arXiv 2506.05975): none of these figures is clinical. 95 % intervals; "
        "people resampled, or exact where that shows no spread.",
        "",
        *_results(measured),
    ]
    return "\n".join(lines) + "\n"


def _examples(bank: Bank) -> str:
    people = sorted(set(bank.people))
    return f"{len(bank):,} examples of {len(people)} people ({', '.join(people)})."


def _counts(bank: Bank, validation: Bank) -> list[str]:
    def of(bank: Bank) -> Counter[tuple[str, str]]:
        return Counter((str(facts["source"]), str(facts["fault"])) for facts in bank.facts)

    learnt, held_out = of(bank), of(validation)
    return [
        f"| {source}, {fault} | {learnt[source, fault]} | {held_out[source, fault]} |"
        for source, fault in sorted(learnt | held_out)
    ]


def _notes(folder: Path) -> list[str]:
    path = folder / NOTES
    return [path.read_text(encoding="utf-8").strip(), ""] if path.exists() else []


def _training(folder: Path) -> list[str]:
    state: dict[str, Any] = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    plan = state["plan"]
    with (folder / CURVE).open() as file:
        curve = list(csv.DictReader(file))
    chosen = curve[::-1][:: max(1, len(curve) // CURVE_ROWS)][::-1]
    names = [name for name in CURVE_COLUMNS if curve and name in curve[0]]
    return [
        f"PyTorch {torch.__version__}, BrainSift {__version__}, {platform.machine()}. {state['step']:,} steps, "
        f"{state['seconds'] / 60:.0f} minutes on {plan['device']} ({plan['threads']} threads, shared with other work), "
        f"seed {plan['seed']}. AdamW, cosine decay, averaged weights; weights stored as float16. The curve shows the "
        "AUC on validation examples; the weights with the highest mean are kept.",
        "",
        f"| {' | '.join(name.replace('_', ' ') for name in names)} |",
        "|---" * len(names) + "|",
        *(f"| {' | '.join(row[name] for name in names)} |" for row in chosen),
        "",
    ]


def _results(measured: Sequence[Figure]) -> list[str]:
    lines = ["| question | scans | statistic | value | n (people) |", "|---|---|---|---|---|"]
    for f in measured:
        lines.append(f"| {f.question} | {f.scans} | {f.statistic} | {f.value} | {f.value.n} ({f.value.groups}) |")
    return lines
