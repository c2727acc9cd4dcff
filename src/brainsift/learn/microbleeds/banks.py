"""The banks of a training: to learn from, to choose with, to measure with; simulated, or from people's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from brainsift.evaluate.labels import read_labels
from brainsift.learn.anatomy_job import LabelMapSplit
from brainsift.learn.building import build_folders, read_with_bar, tell_failed
from brainsift.learn.microbleeds.bank import Bank, chunk_names, load_bank
from brainsift.learn.microbleeds.build import Preparer, make_chunk, plan_chunks, prepare_with_anatomy
from brainsift.learn.microbleeds.labelled import labelled_banks

TRAINING_BANK, VALIDATION_BANK, FRESH_BANK = "bank", "bank_validation", "bank_fresh"

VALIDATION_SHARE = 0.2
"""Of the chunks, to choose weights and thresholds with, and as many again to measure with; their seeds differ from each
other's and from training's."""

MIN_HELD_OUT = 4
VALIDATION_SEED, FRESH_SEED = 900_000, 1_800_000


@dataclass(frozen=True, eq=False)
class Banks:
    """Examples to learn from, to choose with and to measure with; the last two None where nobody is kept aside."""

    training: Bank
    validation: Bank | None
    fresh: Bank | None

    def without(self, modalities: Sequence[str]) -> Banks:
        """Some modalities held out of learning and choosing; measured on are all.

        Raises
        ------
        ValueError
            if none is left.
        """
        training = self.training.without(modalities)
        if not len(training):
            raise ValueError(f"without {', '.join(modalities)} there is no scan to learn from")
        validation = None if self.validation is None else self.validation.without(modalities)
        return Banks(training, validation if validation is not None and len(validation) else None, self.fresh)


def build_banks(
    split: LabelMapSplit, output: Path, chunks: int, seed: int, workers: int = 1, *, quiet: bool = False
) -> Banks:
    """Build what is missing of the banks; the small ones first, so that a training may begin at any time.

    Raises
    ------
    ValueError
        if there is no label map to learn from.
    """
    held_out = max(MIN_HELD_OUT, round(VALIDATION_SHARE * chunks))
    jobs = {}
    if split.validation:
        jobs[VALIDATION_BANK] = plan_chunks(split.validation, held_out, VALIDATION_SEED + 1000 * seed)
        jobs[FRESH_BANK] = plan_chunks(split.validation, held_out, FRESH_SEED + 1000 * seed)
    jobs[TRAINING_BANK] = plan_chunks(split.training, chunks, 1000 * seed, many=True)
    build_folders(jobs, output, chunk_names, make_chunk, workers, quiet=quiet)
    return load_banks(output)


def load_banks(output: Path) -> Banks:
    """The banks that lie in `output`.

    Raises
    ------
    ValueError
        if there is none to learn from.
    """
    others = [load_bank(output / name) if (output / name).is_dir() else None for name in (VALIDATION_BANK, FRESH_BANK)]
    return Banks(load_bank(output / TRAINING_BANK), *others)


def read_banks(
    labels: Path,
    scans: Path,
    output: Path,
    seed: int,
    *,
    prepared: Preparer = prepare_with_anatomy,
    quiet: bool = False,
) -> Banks:
    """Banks from people's labels; what validates also measures, because labels are dear.

    Raises
    ------
    LabelsError
        if the labels file cannot be used.
    ValueError
        if no labelled scan can be used.
    """
    read = partial(
        labelled_banks, read_labels(labels), labels.parent, scans, output / TRAINING_BANK, seed, prepared=prepared
    )
    banks = read_with_bar(lambda show: read(progress=show), quiet=quiet)
    tell_failed(banks.failed)
    return Banks(banks.training, banks.validation, banks.validation)
