"""The text of the bleed models' cards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainsift.learn.card import curve_table, examples_told, notes_told, software_told, training_told
from brainsift.learn.figure import Figure, figure_table
from brainsift.learn.microbleeds.bank import Bank
from brainsift.learn.microbleeds.losses import Distillation
from brainsift.learn.microbleeds.measure import STAGES
from brainsift.learn.microbleeds.settings import (
    CANDIDATE_RATE,
    FALSE_RATE,
    FALSE_RATES,
    POSSIBLE_RATE,
    Settings,
)
from brainsift.models.checksums import sha256_of
from brainsift.tasks.microbleeds.network import CANDIDATES, DISCRIMINATOR

COUNTS = ((0, 0, "none"), (1, 4, "1 to 4"), (5, 9, "5 to 9"), (10, None, "10 and more"))

NOT_FOR = (
    "They do not diagnose. They have seen no haemorrhage larger than a microbleed, no tumour, no cavernoma, no "
    "superficial siderosis and no child, and no real scan unless the examples say so."
)


def write_cards(
    folder: Path,
    models: tuple[Path, Path],
    trainings: dict[str, Path],
    banks: tuple[Bank, Bank],
    measured: Sequence[Figure],
    compared: Sequence[Figure],
    settings: Settings,
    how: Distillation,
    began: tuple[Path, Path] | None = None,
) -> list[Path]:
    """Write a card beside each ONNX file.

    Parameters
    ----------
    models : ONNX files of detector and discriminator.
    trainings : folders with checkpoint and curve of ``student`` and, where they were trained, ``detector`` and
        ``teacher``. A detector that was kept as it is gets no card.
    banks : learnt from, and measured on.
    measured : figures of both networks together.
    compared : figures of students with and without a teacher.
    began : files of detector and discriminator that the training began with.
    """
    learnt, fresh = banks
    first, second = (None, None) if began is None else began
    detector, discriminator = models
    shared = _shared(learnt, fresh)
    of_all = {
        DISCRIMINATOR: [
            f"# Model card: {DISCRIMINATOR}",
            "",
            "Whether a candidate is a microbleed, from a cube of 16 mm around it: image, radial symmetry, vesselness. "
            f"The second of two networks, after `{CANDIDATES}`.",
            "",
            f"- `{discriminator.name}`, SHA-256 `{sha256_of(discriminator)}`",
            f"- trained on the candidates of `{detector.name}`, SHA-256 `{sha256_of(detector)}`",
            f"- bleeds from a probability of {settings.bleed:.4g} on, possible ones from {settings.possible:.4g} on: "
            f"on validation scans {FALSE_RATE:g} and {POSSIBLE_RATE:g} false ones per scan at the most, before the "
            "clean-up with anatomy",
            *_by_modality(settings),
            "",
            *shared,
            "## How it was trained",
            "",
            f"{software_told()} {_students_told(trainings, how, second)}",
            "",
            *curve_table(trainings["student"]),
            "",
            *_compared(trainings, compared),
            *_results(measured, STAGES[1], fresh),
        ],
    }
    if "detector" in trainings:
        of_all[CANDIDATES] = [
            f"# Model card: {CANDIDATES}",
            "",
            "Places that may be microbleeds in one GRE, SWI or susceptibility map: recall before precision. The first "
            f"of two networks; `{DISCRIMINATOR}` looks at each place again.",
            "",
            f"- `{detector.name}`, SHA-256 `{sha256_of(detector)}`",
            f"- candidates from a probability of {settings.candidate:.4g} on, chosen on validation scans so that no "
            f"bleed found there is lost and at most {CANDIDATE_RATE:g} false places are left per scan",
            "",
            *shared,
            "## How it was trained",
            "",
            f"{software_told()} {training_told(trainings['detector'])}{_began(first)} AdamW, cosine decay, "
            "averaged weights; weights stored as float16. Cross-entropy and Tversky loss in which each bleed counts "
            "alike.",
            "",
            *curve_table(trainings["detector"]),
            "",
            *_results(measured, STAGES[0], fresh),
        ]
    paths = []
    for name, lines in of_all.items():
        path = folder / f"{name}.md"
        text = [*lines, *notes_told(folder), "## What they are not for", "", NOT_FOR]
        path.write_text("\n".join(text) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def _by_modality(settings: Settings) -> list[str]:
    told = [
        f"from {value:.4g} on in {modality.upper()} (at most {FALSE_RATES.get(modality, FALSE_RATE):g})"
        for modality, value in sorted(settings.bleed_in.items())
    ]
    return [f"- each modality has a threshold of its own for bleeds: {', '.join(told)}"] if told else []


def _students_told(trainings: dict[str, Path], how: Distillation, began: Path | None) -> str:
    student = f"Student: {training_told(trainings['student'])}{_began(began)}"
    if "teacher" not in trainings:
        return f"{student} It had no teacher."
    return (
        f"Teacher (class and voxels): {training_told(trainings['teacher'])} {student} Distilled students learn from "
        f"the finished teacher at temperature {how.temperature:g}, a share of {how.alpha:g} of their loss."
    )


def _compared(trainings: dict[str, Path], compared: Sequence[Figure]) -> list[str]:
    """Students by kind; where there is one kind, by seed alone."""
    if "teacher" in trainings:
        title, words = (
            "With and without a teacher",
            "Students that differ in this and in their seed alone, on the detector's candidates in scans of people "
            "that none has seen; reported as found. The one that ships had the highest AUC on validation scans.",
        )
    else:
        title, words = "On candidates alone", "On the detector's candidates in scans of people that it has not seen."
    return [f"## {title}", "", words, "", *figure_table(compared), ""]


def _began(weights: Path | None) -> str:
    return "" if weights is None else f" From the weights with SHA-256 `{sha256_of(weights)}`."


def _shared(learnt: Bank, fresh: Bank) -> list[str]:
    return [
        "## What it saw",
        "",
        f"{examples_told(learnt)} Measured on: {examples_told(fresh)} Each head is seen in every modality.",
        "",
        "| modality | bleeds in the scan | to learn from | to measure with |",
        "|---|---|---|---|",
        *_counts(learnt, fresh),
        "",
    ]


def _counts(learnt: Bank, fresh: Bank) -> list[str]:
    """Scans by modality and number of bleeds."""
    rows = []
    for modality in sorted(set(learnt.modalities) | set(fresh.modalities)):
        for low, high, name in COUNTS:
            counts = []
            for bank in (learnt, fresh):
                here = np.array([len(row["lesions"]) for row in bank.rows if row["modality"] == modality])
                counts.append(int(((here >= low) & (here <= (np.inf if high is None else high))).sum()))
            rows.append(f"| {modality} | {name} | {counts[0]} | {counts[1]} |")
    return rows


def _results(measured: Sequence[Figure], stage: str, fresh: Bank) -> list[str]:
    return [
        f"## Results on people that it has not seen: {stage}",
        "",
        *(["Every scan and every bleed here is simulated: none of these figures is clinical.", ""] * fresh.simulated),
        "95 % intervals, people resampled. Sizes are of what a rater would mark. Definitions: docs/evaluate.md.",
        "",
        *figure_table([one for one in measured if one.question == stage]),
        "",
    ]
