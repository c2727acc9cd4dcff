"""The text of the lesion model's card."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainsift.learn.card import curve_table, examples_told, notes_told, software_told, training_told
from brainsift.learn.figure import Figure, figure_table
from brainsift.learn.wmh.bank import Bank
from brainsift.learn.wmh.batches import Lessons
from brainsift.learn.wmh.settings import Settings
from brainsift.learn.wmh.source import PAINTED, SIMULATED
from brainsift.learn.wmh.train import WEIGHTS
from brainsift.models.checksums import sha256_of

SUPERVISED = {
    "coarse": "predictions pass through the slices of the labels (thickness, gap and obliqueness included) and are "
    "compared there",
    "upsampled": "labels are interpolated to the fine grid",
    "nearest": "fine voxels next to the middle of a slice are compared with its label",
    "fine": "the truth on the fine grid, which only simulation has",
}


def write_card(
    path: Path,
    model: Path,
    folder: Path,
    bank: Bank,
    measured_on: Bank,
    measured: Sequence[Figure],
    lessons: Lessons,
    settings: Settings,
) -> Path:
    """Write the card; `folder` holds checkpoint, curve and, after two steps, the labels' weights."""
    simulated = all(facts.get("source") in (SIMULATED, PAINTED) for facts in measured_on.facts)
    lines = [
        "# Model card: wmh",
        "",
        "White-matter hyperintensities in a T1w scan, at 1 mm, from the brain's box and the anatomy pass.",
        "",
        f"- `{model.name}`, SHA-256 `{sha256_of(model)}`",
        f"- lesion from a probability of {settings.threshold:g} on, of {settings.min_lesion_mm3:g} mm³ and more; both "
        "chosen on validation scans and written into the file",
        "",
        "## What it saw",
        "",
        f"{examples_told(bank)} Measured on: {examples_told(measured_on)}",
        "",
        *_loads(bank, measured_on),
        "",
        *notes_told(folder),
        "## How it was trained",
        "",
        f"{software_told()} {training_told(folder)} AdamW, cosine decay, averaged weights; weights stored as float16. "
        f"Supervision `{lessons.supervision}`: {SUPERVISED[lessons.supervision]}; crops of "
        f"{'x'.join(str(n) for n in lessons.crop)} voxels, {lessons.size} a step.{_weighed(folder)}",
        "",
        *curve_table(folder),
        "",
        "## Results on people that it has not seen",
        "",
        *(["Every lesion here is simulated: none of these figures is clinical.", ""] * simulated),
        "95 % intervals, people resampled. Definitions and empty cases: docs/evaluate.md.",
        "",
        *figure_table(measured),
        "",
        "## What it is not for",
        "",
        "It does not diagnose, and it has seen no tumour, no stroke and no child. Lesions that the T1w does not show "
        "are not found.",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _loads(bank: Bank, measured_on: Bank) -> list[str]:
    """How many examples there are of each load."""
    edges = (0.0, 0.05, 1.0, 5.0, 15.0, np.inf)
    names = ("none", "below 1 mL", "1 to 5 mL", "5 to 15 mL", "15 mL and more")
    counts = [
        np.histogram([float(facts.get("load_ml", 0)) for facts in side.facts], edges)[0].tolist()
        for side in (bank, measured_on)
    ]
    rows = [f"| {name} | {a} | {b} |" for name, a, b in zip(names, *counts, strict=True)]
    return ["| lesion load | to learn from | to measure with |", "|---|---|---|", *rows]


def _weighed(folder: Path) -> str:
    """What came of the labels in the second step."""
    path = folder / WEIGHTS
    if not path.is_file():
        return ""
    with path.open(newline="", encoding="utf-8") as file:
        weights = [float(row["weight"]) for row in csv.DictReader(file, delimiter="\t")]
    dropped, lowered = sum(w == 0 for w in weights), sum(0 < w < 1 for w in weights)
    return (
        f" In two steps: of {len(weights)} labels {dropped} were dropped and {lowered} weighed less for the second, by "
        "their agreement with the network of the first."
    )
