"""The sides of a split: examples to learn from, to choose with, and to measure with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from brainsift.evaluate.labels import Label, read_labels
from brainsift.learn.building import read_with_bar, tell_failed

TRAINING_BANK, VALIDATION_BANK, FRESH_BANK = "bank", "bank_validation", "bank_fresh"
"""Folders of the sides in that of a training."""

VALIDATION_SEED, FRESH_SEED = 900_000, 1_800_000
"""Added to the seeds of chunks, so that no two sides draw the same; training's chunks are fewer."""

MIN_HELD_OUT = 4
"""Chunks to choose with, however few there are to learn from."""

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)


@dataclass(frozen=True, eq=False)
class Banks(Generic[B]):
    """Examples to learn from, to choose with and to measure with; the last two None where nobody is kept aside."""

    training: B
    validation: B | None
    fresh: B | None


@dataclass(frozen=True, eq=False)
class LabelledBanks(Generic[B_co]):
    """Examples to learn from, examples to choose weights and thresholds with, and what could not be read, with why."""

    training: B_co
    validation: B_co | None
    failed: dict[str, str]


class ReadLabelled(Protocol[B_co]):
    """Reads every labelled scan once, keeps it in `folder`, and splits by person."""

    def __call__(
        self,
        labels: Sequence[Label],
        folder_of_labels: Path,
        scans: Path,
        folder: Path,
        seed: int,
        *,
        progress: Callable[[int, int], None] | None,
    ) -> LabelledBanks[B_co]: ...


def held_out_chunks(chunks: int, share: float) -> int:
    """How many chunks to choose with, and as many again to measure with, beside `chunks` to learn from."""
    return max(MIN_HELD_OUT, round(share * chunks))


def load_sides(output: Path, load_bank: Callable[[Path], B]) -> Banks[B]:
    """The banks that lie in `output`.

    Raises
    ------
    ValueError
        if there is none to learn from.
    """
    others = [load_bank(output / name) if (output / name).is_dir() else None for name in (VALIDATION_BANK, FRESH_BANK)]
    return Banks(load_bank(output / TRAINING_BANK), *others)


def read_sides(
    labels: Path, scans: Path, output: Path, seed: int, read: ReadLabelled[B], *, quiet: bool = False
) -> Banks[B]:
    """Banks from people's labels; what validates also measures, because labels are dear.

    Parameters
    ----------
    labels : ``labels.tsv``; paths of labels in it are relative to its folder.
    scans : folder that its column `scan` is relative to.

    Raises
    ------
    LabelsError
        if the labels file cannot be used.
    ValueError
        if no labelled scan can be used.
    """
    rows = read_labels(labels)
    banks = read_with_bar(
        lambda show: read(rows, labels.parent, scans, output / TRAINING_BANK, seed, progress=show), quiet=quiet
    )
    tell_failed(banks.failed)
    return Banks(banks.training, banks.validation, banks.validation)
