"""What all model cards tell: what the examples are, with what and how long was trained, how the scores rose."""

from __future__ import annotations

import csv
import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from brainsift import __version__
from brainsift.learn.trainer import CHECKPOINT, CURVE

CURVE_ROWS = 12
"""About as many points of the curve are shown, the last one among them."""


class Examples(Protocol):
    """Examples of which it is known whose each is, and what was done to it."""

    def __len__(self) -> int: ...

    @property
    def people(self) -> tuple[str, ...]:
        """(N,) whose heads."""

    @property
    def facts(self) -> tuple[dict[str, Any], ...]:
        """(N,) what was done."""


NOTES = "notes.md"
"""Beside checkpoint and curve: what only people know, such as where the data are from, under which licence, and what
was changed during a training."""


def examples_told(bank: Examples) -> str:
    """How many examples, and of whom."""
    people = sorted(set(bank.people))
    return f"{len(bank):,} examples of {len(people)} people ({', '.join(people)})."


def count_rows(names: Sequence[str], learnt: Examples, measured_on: Examples) -> list[str]:
    """Rows of a markdown table: the values of the facts called `names`, examples that have them on either side."""

    def of(bank: Examples) -> Counter[tuple[str, ...]]:
        return Counter(tuple(str(facts.get(name)) for name in names) for facts in bank.facts)

    ours, theirs = of(learnt), of(measured_on)
    return [f"| {', '.join(values)} | {ours[values]} | {theirs[values]} |" for values in sorted(ours | theirs)]


def software_told() -> str:
    """What this training ran with."""
    return f"PyTorch {torch.__version__}, BrainSift {__version__}, {platform.machine()}."


def training_told(folder: Path, note: str = "") -> str:
    """Steps, minutes, device and seed of the checkpoint in `folder`; `note` follows the number of threads."""
    state: dict[str, Any] = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
    plan = state["plan"]
    return (
        f"{state['step']:,} steps, {state['seconds'] / 60:.0f} minutes on {plan['device']} "
        f"({plan['threads']} threads{note}), seed {plan['seed']}."
    )


def curve_table(folder: Path, columns: Sequence[str] | None = None) -> list[str]:
    """Lines of a markdown table of some points of the curve in `folder`; of its columns those named, or all."""
    with (folder / CURVE).open() as file:
        curve = list(csv.DictReader(file))
    chosen = curve[::-1][:: max(1, len(curve) // CURVE_ROWS)][::-1]
    there = list(curve[0]) if curve else []
    names = there if columns is None else [name for name in columns if name in there]
    return [
        f"| {' | '.join(name.replace('_', ' ') for name in names)} |",
        "|---" * len(names) + "|",
        *(f"| {' | '.join(row[name] for name in names)} |" for row in chosen),
    ]


def notes_told(folder: Path) -> list[str]:
    """What people wrote beside the checkpoint, or nothing."""
    path = folder / NOTES
    return [path.read_text(encoding="utf-8").strip(), ""] if path.exists() else []
