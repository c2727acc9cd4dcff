"""Rows of `labels.tsv` that become examples: each is read once and kept, and people are split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from brainsift.evaluate.labels import Label
from brainsift.learn.quality.labelled import held_out
from brainsift.learn.rows import Rows
from brainsift.learn.sides import LabelledBanks
from brainsift.scans.errors import ScanError

PathOf = Callable[[Label], Path | None]
"""What a row says of where its label lies; None where it has none."""

R = TypeVar("R", bound=Rows)


@dataclass(frozen=True)
class Kept:
    """Rows whose scan and label could be read, and of the others why not.

    Attributes
    ----------
    names : row's number in `read` → name of its chunk.
    """

    read: tuple[Label, ...]
    names: tuple[str, ...]
    failed: dict[str, str]


def keep_labelled(
    labels: Sequence[Label],
    path_of: PathOf,
    column: str,
    there: Collection[str],
    keep: Callable[[Label, Path, str], object],
    progress: Callable[[int, int], None] | None = None,
) -> Kept:
    """Keep an example of every row that has a label and is not marked ``test``; every rater's is one of its own.

    Parameters
    ----------
    column : of the label, for the message.
    there : names of chunks that lie there from an earlier run.
    keep : reads scan and label (row, path of the label) and writes the chunk of that name.

    Raises
    ------
    ValueError
        if no row can be used; with the reasons.
    """
    wanted = [(label, path) for label in labels if (path := path_of(label)) is not None and label.split != "test"]
    read: list[Label] = []
    names: list[str] = []
    failed: dict[str, str] = {}
    for number, (label, path) in enumerate(wanted):
        name = _name(label, path)
        try:
            if name not in there:
                keep(label, path, name)
            read.append(label)
            names.append(name)
        except (ScanError, OSError, ValueError) as error:
            failed[label.scan if label.rater is None else f"{label.scan} ({label.rater})"] = str(error)
        if progress is not None:
            progress(number + 1, len(wanted))
    if not read:
        reasons = "; ".join(sorted(set(failed.values())))
        raise ValueError(f"none of {len(wanted)} rows with {column} could be used{f': {reasons}' if reasons else ''}")
    return Kept(tuple(read), tuple(names), failed)


def _name(label: Label, path: Path) -> str:
    told = f"{label.scan}\n{label.rater or ''}\n{path}"
    return f"scan_{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def split_kept(kept: Kept, bank: R, seed: int) -> LabelledBanks[R]:
    """A bank's sides to learn from and to choose with: as the split column says, else a fifth of the other people.

    Raises
    ------
    ValueError
        if nothing is left to learn from.
    """
    row_of = {name.partition("/")[0]: row for row, name in enumerate(bank.names)}
    aside = set(held_out(kept.read, seed))
    training: list[int] = []
    rest: list[int] = []
    for label, name in zip(kept.read, kept.names, strict=True):
        (rest if label.scan in aside else training).append(row_of[name])
    if not training:
        raise ValueError("all labelled scans are for validation: mark some as `train` in the column split")
    return LabelledBanks(bank.only(training), bank.only(rest) if rest else None, kept.failed)
