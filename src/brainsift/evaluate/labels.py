"""`labels.tsv`: what people know of scans, one row per scan and rater."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brainsift.tsv_text import unguarded

Split = Literal["train", "validation", "test"]

MAX_FAULTS = 10
"""Faults named in one error message; a wrong column would otherwise fill the screen."""

HINTS = {
    "proper": "`yes` or `no`",
    "gadolinium": "`yes` or `no`",
    "motion": "a grade 0, 1 or 2",
    "noise": "a grade 0, 1 or 2",
    "contrast": "a grade 0, 1 or 2",
    "defacing": "`correct`, `insufficient`, `excessive` or `failed`",
    "split": "`train`, `validation` or `test`",
    "scan": "the path of a scan as in `brainsift.tsv`",
}
"""What a column holds, told where a cell holds something else."""


class LabelsError(ValueError):
    """A labels file that cannot be used.

    Parameters
    ----------
    cause : what is wrong, with line and column of each fault.
    remedy : what to do about it.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[LabelsError], tuple[str, str]]:
        return type(self), (self.cause, self.remedy)


class Label(BaseModel):
    """What one rater says of one scan; None where the column is absent or the cell empty (or ``n/a``).

    Grades are 0 (good), 1, 2 (bad). `wmh_mask` and `microbleeds` are paths relative to the labels file: a mask, or a
    TSV of points in voxels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scan: str = Field(min_length=1)
    participant: str | None = None
    site: str | None = None
    sequence: str | None = None
    proper: bool | None = None
    motion: int | None = Field(default=None, ge=0, le=2)
    noise: int | None = Field(default=None, ge=0, le=2)
    contrast: int | None = Field(default=None, ge=0, le=2)
    gadolinium: bool | None = None
    defacing: Literal["correct", "insufficient", "excessive", "failed"] | None = None
    wmh_mask: Path | None = None
    microbleeds: Path | None = None
    rater: str | None = None
    split: Split | None = None

    @property
    def person(self) -> str:
        """Whose scan it is; a scan without a named participant counts as another person."""
        return self.participant if self.participant is not None else f"scan:{self.scan}"


LABEL_COLUMNS = tuple(Label.model_fields)


def read_labels(path: Path) -> list[Label]:
    """Read and check a labels file.

    Raises
    ------
    LabelsError
        naming line and column of each fault: unknown column, wrong value, a scan given twice by one rater, a
        participant on both sides of a split.
    OSError
        if the file cannot be read.
    """
    faults: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            columns = _check_columns(path, next(reader, []))
            rows = list(_parse(reader, columns, faults))
    except UnicodeDecodeError as error:
        raise LabelsError(f"{path.name} is not UTF-8 text.", "Save it as tab-separated text in UTF-8.") from error
    faults += _conflicts(rows)
    if faults:
        more = f"; … and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
        cause = f"{path.name}: {'; '.join(faults[:MAX_FAULTS])}{more}."
        raise LabelsError(cause, "Correct these lines; leave a cell empty, or write n/a, where nothing is known.")
    return [label for _, label in rows]


def unseen(labels: Iterable[Label]) -> list[Label]:
    """Labels that no model was fitted or chosen on: those not marked ``train`` or ``validation``."""
    return [label for label in labels if label.split not in ("train", "validation")]


def _check_columns(path: Path, columns: list[str]) -> list[str]:
    known = f"Known columns are {' '.join(LABEL_COLUMNS)}, separated by tabs."
    if "scan" not in columns:
        raise LabelsError(f"{path.name}: line 1: the column `scan` is missing.", known)
    unknown = [name for name in columns if name not in LABEL_COLUMNS]
    if unknown:
        raise LabelsError(f"{path.name}: line 1: unknown columns {unknown}.", f"Rename or remove them. {known}")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise LabelsError(f"{path.name}: line 1: columns given twice {twice}.", "Keep one of each.")
    return columns


def _parse(reader: Iterable[list[str]], columns: list[str], faults: list[str]) -> Iterator[tuple[int, Label]]:
    for line, cells in enumerate(reader, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            faults.append(f"line {line}: {len(cells)} cells, expected {len(columns)}")
            continue
        texts = ((name, unguarded(cell.strip())) for name, cell in zip(columns, cells, strict=True))
        row = {name: text for name, text in texts if text not in ("", "n/a")}
        try:
            yield line, Label.model_validate(row)
        except ValidationError as error:
            for column in dict.fromkeys(str(fault["loc"][0]) for fault in error.errors()):
                expected = f", expected {HINTS[column]}" if column in HINTS else ""
                faults.append(f"line {line}, column {column}: got {row.get(column)!r}{expected}")


def _conflicts(rows: list[tuple[int, Label]]) -> Iterator[str]:
    seen: dict[tuple[str, str | None], int] = {}
    sides: dict[str, tuple[Split, int]] = {}
    for line, label in rows:
        first = seen.setdefault((label.scan, label.rater), line)
        if first != line:
            yield f"line {line}, column scan: {label.scan!r} was given by the same rater in line {first}"
        if label.split is None:
            continue
        split, where = sides.setdefault(label.person, (label.split, line))
        if split != label.split:
            who = label.scan if label.participant is None else f"participant {label.participant!r}"
            yield f"line {line}, column split: {who} is in {label.split}, but in {split} in line {where}"
