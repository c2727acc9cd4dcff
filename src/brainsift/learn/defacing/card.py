"""The text of the defacing model's card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainsift.learn.card import count_rows, curve_table, examples_told, notes_told, software_told, training_told
from brainsift.learn.defacing.bank import Bank
from brainsift.learn.defacing.measure import ask_all, figures
from brainsift.learn.defacing.net import READERS
from brainsift.learn.defacing.readers import EPOCHS, PASSES
from brainsift.learn.figure import Figure, figure_table
from brainsift.models.checksums import sha256_of


def write_card(path: Path, model: Path, folder: Path, bank: Bank, measured_on: Bank, temperature: float) -> Path:
    """Measure the exported model on people it has not seen and write its card; `folder` holds checkpoint, curve
    and perhaps notes."""
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
        "nose, mouth and ears are left, from voxels of 2 mm in the pose of MNI152 and the tissues of the anatomy.",
        "",
        f"- `{model.name}`, SHA-256 `{sha256_of(model)}`",
        "",
        "## What it saw",
        "",
        f"{examples_told(bank)} Measured on: {examples_told(measured_on)}",
        "",
        "| tool, label | examples to learn from | to measure with |",
        "|---|---|---|",
        *count_rows(("tool", "label"), bank, measured_on),
        "",
        *notes_told(folder),
        "## How it was trained",
        "",
        f"{software_told()} {training_told(folder)} AdamW, cosine decay, averaged weights; weights stored as float16. "
        "The weights with the highest mean AUC on validation examples are kept. Then the layers that read the answer "
        f"from the maps are fitted anew ({READERS} small networks, {EPOCHS} rounds of {PASSES} showings of every "
        f"example to learn from), and the classes' logits are divided by {temperature:.2f}, the temperature that makes "
        "the labels of validation examples likeliest. The curve is from before that.",
        "",
        *curve_table(folder),
        "",
        "## Results on people that it has not seen",
        "",
        "Every scan and every defacing here is simulated: none of these figures is clinical. The classes are ours; the "
        "published system's (Delbarre 2022) are not known to us. 95 % intervals, people resampled, or exact where that "
        "shows no spread.",
        "",
        *figure_table(measured),
        "",
        "## What it is not for",
        "",
        "It does not say that nobody can be recognised, and it releases nothing: a person signs every pass.",
    ]
    return "\n".join(lines) + "\n"
