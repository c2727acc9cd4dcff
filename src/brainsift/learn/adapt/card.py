"""The text of an adapted model's card, with what it was compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainsift.learn.adapt.domains import Domains
from brainsift.learn.adapt.lessons import Lessons
from brainsift.learn.card import curve_table, examples_told, notes_told, software_told, training_told
from brainsift.learn.figure import Figure, figure_table
from brainsift.learn.quality.bank import Bank
from brainsift.models.checksums import sha256_of

TOLD = {
    "none": "Scans without labels serve to align the domains only.",
    "consistency": "Two views of a scan without labels shall be answered alike.",
    "pseudo": "Answers about scans without labels become labels where they are sure after calibration.",
    "both": "Two views of a scan without labels shall be answered alike, and sure answers become labels.",
}


def card_text(
    model: Path,
    folder: Path,
    domains: Domains,
    validation: Bank | None,
    lessons: Lessons,
    measured: Sequence[Figure],
    started: str | None,
) -> str:
    """Markdown: what was learnt from in either domain, how, and what it reaches beside what it started from.

    Parameters
    ----------
    folder : of checkpoint, curve and perhaps notes, where the tables of a study may stand.
    started : SHA-256 of the weights that it began with; None for random ones.
    """
    began = f"the weights with SHA-256 `{started}`" if started else "random weights"
    aligned = f"gradient reversal, weight {lessons.domain:g}" if lessons.domain else "not aligned"
    heads = "a head for each domain" if lessons.two_heads else "one head for both domains"
    return "\n".join(
        [
            "# Model card: quality, adapted to another domain",
            "",
            "The quality network's questions, answered for scans of the target domain and for no others: import it "
            "with `--for FLAIR`, or keep it on a shelf of its own.",
            "",
            f"- `{model.name}`, SHA-256 `{sha256_of(model)}`",
            "",
            "## What it saw",
            "",
            *_parts(domains, validation),
            "",
            *notes_told(folder),
            "## How it was trained",
            "",
            f"{software_told()} {training_told(folder)} From {began}. Shared extractor, {heads}, domains {aligned}. "
            f"{TOLD[lessons.semi]} The last weights are kept, averaged over steps, or the best ones where enough scans "
            "were kept aside to tell.",
            "",
            *curve_table(folder),
            "",
            "## Results on the target domain's people that it has not learnt from",
            "",
            *(_results(measured) if measured else ["Nobody was kept aside, so nothing was measured."]),
        ]
    )


def _parts(domains: Domains, validation: Bank | None) -> list[str]:
    named = (
        ("source, labelled", domains.source),
        ("target, labelled", domains.target),
        ("target, without labels", domains.unlabelled),
        ("target, kept aside", validation),
    )
    return [f"- {name}: {examples_told(bank) if bank is not None else 'none.'}" for name, bank in named]


def _results(measured: Sequence[Figure]) -> list[str]:
    return [
        "95 % intervals, people resampled, or exact where that shows no spread. The people kept aside may have chosen "
        "the weights: figures are then a little too good.",
        "",
        *figure_table(measured),
        "",
    ]
