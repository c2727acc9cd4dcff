"""The banks of a training on simulated heads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainsift.learn.building import build_folders
from brainsift.learn.label_maps import LabelMapSplit
from brainsift.learn.microbleeds.bank import Bank, chunk_names, load_bank
from brainsift.learn.microbleeds.build import make_chunk, plan_chunks
from brainsift.learn.sides import (
    FRESH_BANK,
    FRESH_SEED,
    TRAINING_BANK,
    VALIDATION_BANK,
    VALIDATION_SEED,
    Banks,
    held_out_chunks,
    load_sides,
)

VALIDATION_SHARE = 0.2
"""Of the chunks, to choose weights and thresholds with, and as many again to measure with; their seeds differ from each
other's and from training's."""

MANY_SHARE = 0.25
"""So many more heads to choose with have bleeds as those to learn from have, of any size and look: weights and
thresholds must not be chosen by small ones alone."""


def build_banks(
    split: LabelMapSplit, output: Path, chunks: int, seed: int, workers: int = 1, *, quiet: bool = False
) -> Banks[Bank]:
    """Build what is missing of the banks; the small ones first, so that a training may begin at any time.

    Raises
    ------
    ValueError
        if there is no label map to learn from.
    """
    held_out = held_out_chunks(chunks, VALIDATION_SHARE)
    jobs = {}
    if split.validation:
        chosen_by = VALIDATION_SEED + 1000 * seed
        jobs[VALIDATION_BANK] = [
            *plan_chunks(split.validation, held_out, chosen_by),
            *plan_chunks(split.validation, round(MANY_SHARE * held_out), chosen_by, first=held_out, many=True),
        ]
        jobs[FRESH_BANK] = plan_chunks(split.validation, held_out, FRESH_SEED + 1000 * seed)
    jobs[TRAINING_BANK] = plan_chunks(split.training, chunks, 1000 * seed, many=True)
    build_folders(jobs, output, chunk_names, make_chunk, workers, quiet=quiet)
    return load_sides(output, load_bank)


def hold_out(banks: Banks[Bank], modalities: Sequence[str]) -> Banks[Bank]:
    """Some modalities held out of learning and choosing; measured on are all.

    Raises
    ------
    ValueError
        if none is left.
    """
    training = banks.training.without(modalities)
    if not len(training):
        raise ValueError(f"without {', '.join(modalities)} there is no scan to learn from")
    validation = None if banks.validation is None else banks.validation.without(modalities)
    return Banks(training, validation if validation is not None and len(validation) else None, banks.fresh)
