"""The whole job behind `brainsift train quality --label-maps ... --for FLAIR`: a model for scans filed as FLAIR."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brainsift.learn.adapt.card import card_text
from brainsift.learn.adapt.domains import Domains
from brainsift.learn.adapt.job import export_target, measured_figures
from brainsift.learn.adapt.lessons import Lessons
from brainsift.learn.adapt.train import train_adapted
from brainsift.learn.building import build_folders
from brainsift.learn.label_maps import LabelMapSplit
from brainsift.learn.quality.bank import Bank, chunk_names, load_bank
from brainsift.learn.quality.flair import make_chunk, plan_flair
from brainsift.learn.quality.job import CARD_FILE, VALIDATION_SHARE
from brainsift.learn.quality.truth import COLUMNS
from brainsift.learn.sides import FRESH_BANK, TRAINING_BANK, VALIDATION_BANK, Banks, held_out_chunks, load_sides
from brainsift.learn.trainer import TrainingPlan
from brainsift.models.checksums import sha256_of
from brainsift.models.joining import take_model
from brainsift.tasks.quality.network import SEQUENCES

SEEDS = {TRAINING_BANK: 6_200_000, VALIDATION_BANK: 6_700_000, FRESH_BANK: 5_000_000}
"""Of the first chunk of each side; those of other banks are smaller."""

SEQUENCE, STARTED_FROM = "FLAIR", "started_from.onnx"

LESSONS = Lessons(domain=0.0)
"""A head for each domain, not aligned: there are labels for all."""


def build_banks(
    split: LabelMapSplit, output: Path, chunks: int, seed: int, workers: int = 1, *, quiet: bool = False
) -> Banks[Bank]:
    """Build what is missing of the banks, the small ones first."""
    held_out = held_out_chunks(chunks, VALIDATION_SHARE) if split.validation else 0
    sides = {
        VALIDATION_BANK: (split.validation, held_out),
        FRESH_BANK: (split.validation, 2 * held_out),
        TRAINING_BANK: (split.training, chunks),
    }
    jobs = {name: plan_flair(maps, n, SEEDS[name] + 1000 * (seed - 1)) for name, (maps, n) in sides.items() if n}
    build_folders(jobs, output, chunk_names, make_chunk, workers, quiet=quiet)
    return load_sides(output, load_bank)


def train_filed(
    banks: Banks[Bank],
    output: Path,
    plan: TrainingPlan,
    *,
    beside: Bank | None = None,
    start_from: Path | None = None,
    resume: bool = True,
    quiet: bool = False,
) -> Path:
    """Train, export and, with people kept aside, measure; returns the path of the ONNX file.

    Parameters
    ----------
    banks : of scans filed as FLAIR: to learn from, to choose weights and fit answers with, to measure with.
    beside : examples of other scans that are learnt along, with a head of their own, so that the extractor sees more;
        of FLAIR, of no sequence, and of what is no brain scan for FLAIR's head too.
    start_from : weights to start from; None for random ones. Of a file with a model for FLAIR, that one's.
    """
    start_from = _own(start_from, output)
    training = banks.training if beside is None else banks.training + true_of_flair(beside)
    domains = Domains(beside, training)
    weights = train_adapted(
        domains, banks.validation, output, plan, LESSONS, start_from=start_from, resume=resume, quiet=quiet
    )
    path = export_target(weights, output, banks.validation)
    measured = [] if banks.fresh is None else measured_figures(path, banks.fresh, start_from)
    started = None if start_from is None else sha256_of(start_from)
    text = card_text(path, output, domains, banks.fresh, LESSONS, measured, started)
    (output / CARD_FILE).write_text(text + "\n", encoding="utf-8")
    return path


def true_of_flair(bank: Bank) -> Bank:
    """The examples of which all that is known holds under the name of a FLAIR too."""
    sequence = bank.truth[:, COLUMNS.index("sequence")]
    names = (SEQUENCES.index(SEQUENCE), SEQUENCES.index("other"))
    return bank.only(np.flatnonzero(np.isnan(sequence) | np.isin(sequence, names)).tolist())


def _own(start_from: Path | None, output: Path) -> Path | None:
    """The model for FLAIR where a file holds one beside that for all others."""
    if start_from is None or start_from.suffix != ".onnx":
        return start_from
    output.mkdir(parents=True, exist_ok=True)
    alone = output / STARTED_FROM
    return alone if take_model(start_from, SEQUENCE, alone) else start_from
