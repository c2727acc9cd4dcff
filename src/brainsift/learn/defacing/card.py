"""The text of the defacing model's card."""

from __future__ import annotations

import csv
import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from brainsift import __version__
from brainsift.learn.defacing.bank import Bank
from brainsift.learn.defacing.measure import Figure, ask_all, figures
from brainsift.learn.trainer import CHECKPOINT, CURVE
from brainsift.models.checksums import sha256_of

CURVE_ROWS = 12


def write_card(path: Path, model: Path, folder: Path, bank: Bank, measured_on: Bank, temperature: float) -> Path:
    """Measure the exported model on people it has not seen and write its card; `folder` holds checkpoint and curve."""
    measured = figures(ask_all(model, measured_on), measured_on)
    path.write_text(card_text(model, folder, bank, measured_on, measured, temperature), encoding="utf-8")
    return path


def card_text(
    model: Path, folder: Path, bank: Bank, measured_on: Bank, measured: Sequence[Figure], temperature: float
) -> str:
    """Markdown: what the network saw, how it was trained, what was measured."""
    lines = [
        "# Model card: defacing",
        "",
        "Whether a head was de-faced correctly, insufficiently, excessively or not at all, and which of brow, eyes, "
        "nose, mouth and ears are left, from five views at 2 mm and measured signals.",
        "",
        f"- `{model.name}`, SHA-256 `{sha256_of(model)}`",
        "",
        "## What it saw",
        "",
        f"{_examples(bank)} Measured on: {_examples(measured_on)}",
        "",
        "| tool, label | examples to learn from | to measure with |",
        "|---|---|---|",
        *_counts(bank, measured_on),
        "",
        "## How it was trained",
        "",
        *_training(folder, temperature),
        "## Results on people that it has not seen",
        "",
        "Every scan and every defacing here is simulated: none of these figures is clinical. The classes are ours; the "
        "published system's (Delbarre 2022) are not known to us. 95 % intervals, people resampled, or exact where that "
        "shows no spread.",
        "",
        "| question | scans | statistic | value | n (people) |",
        "|---|---|---|---|---|",
        *(
            f"| {f.question} | {f.scans} | {f.statistic} | {f.value} | {f.value.n} ({f.value.groups}) |"
            for f in measured
        ),
        "",
        "## What it is not for",
        "",
        "It does not say that nobody can be recognised, and it releases nothing: a person signs every pass.",
    ]
    return "\n".join(lines) + "\n"


def _examples(bank: Bank) -> str:
    people = sorted(set(bank.people))
    return f"{len(bank):,} examples of {len(people)} people ({', '.join(people)})."


def _counts(bank: Bank, measured_on: Bank) -> list[str]:
    def of(bank: Bank) -> Counter[tuple[str, str]]:
        return Counter((str(facts.get("tool")), str(facts.get("label"))) for facts in bank.facts)

    learnt, held_out = of(bank), of(measured_on)
    return [
        f"| {tool}, {label} | {learnt[tool, label]} | {held_out[tool, label]} |"
        for tool, label in sorted(learnt | held_out)
    ]


def _training(folder: Path, temperature: float) -> list[str]:
    state: dict[str, Any] = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    plan = state["plan"]
    with (folder / CURVE).open() as file:
        curve = list(csv.DictReader(file))
    chosen = curve[::-1][:: max(1, len(curve) // CURVE_ROWS)][::-1]
    names = list(curve[0]) if curve else []
    return [
        f"PyTorch {torch.__version__}, BrainSift {__version__}, {platform.machine()}. {state['step']:,} steps, "
        f"{state['seconds'] / 60:.0f} minutes on {plan['device']} ({plan['threads']} threads), seed {plan['seed']}. "
        "AdamW, cosine decay, averaged weights; weights stored as float16. The weights with the highest mean AUC on "
        f"validation examples are kept; the classes' logits are divided by {temperature:.2f}, the temperature that "
        "makes the labels of validation examples likeliest.",
        "",
        f"| {' | '.join(name.replace('_', ' ') for name in names)} |",
        "|---" * len(names) + "|",
        *(f"| {' | '.join(row[name] for name in names)} |" for row in chosen),
        "",
    ]
