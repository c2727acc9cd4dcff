"""The text of the quality model's card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainsift.learn.card import count_rows, curve_table, examples_told, notes_told, software_told, training_told
from brainsift.learn.figure import Figure, figure_table
from brainsift.learn.quality.bank import Bank
from brainsift.learn.quality.measure import ask_all, figures
from brainsift.models.checksums import sha256_of

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
        f"{examples_told(bank)} Kept for validation: {examples_told(validation)}",
        "",
        "| what was done | examples to learn from | to validate with |",
        "|---|---|---|",
        *count_rows(("source", "fault"), bank, validation),
        "",
        *notes_told(folder),
        "## How it was trained",
        "",
        f"{software_told()} {training_told(folder, ', shared with other work')} AdamW, cosine decay, averaged weights; "
        "weights stored as float16. The curve shows the AUC on validation examples; of its best point and its last, "
        "the weights with the higher mean on all of them are kept. On the same examples, log-odds of motion are "
        "shifted, and shrunk if need be, until one half means even odds (Platt), so the figures below are a little "
        "too good.",
        "",
        *curve_table(folder, CURVE_COLUMNS),
        "",
        "## Results on people that it has not seen",
        "",
        "Every artefact here is simulated, on simulated heads or on clean real scans. Simulated motion makes a "
        "detector look better than it is (arXiv 2506.05975): none of these figures is clinical. 95 % intervals; "
        "people resampled, or exact where that shows no spread.",
        "",
        *figure_table(measured),
    ]
    return "\n".join(lines) + "\n"
