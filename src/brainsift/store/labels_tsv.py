"""`labels.tsv`: what people know of scans, one row per scan and rater."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brainsift.store.files import write_atomic

Split = Literal["train", "validation", "test"]
MAX_FAULTS = 10
"""Faults named in one error message; a wrong column would otherwise fill the screen."""


class LabelsError(ValueError):
    """A labels file that cannot be used; the message names each line and column."""


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


LABEL_COLUMNS = tuple(Label.model_fields)


def read_labels(path: Path) -> list[Label]:
    """Read and check a labels file.

    Raises
    ------
    LabelsError
        naming line and column of each fault: unknown column, wrong value, a scan given twice by one rater, a
        participant on both sides of a split.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        columns = _check_columns(path, next(reader, []))
        faults: list[str] = []
        rows = list(_parse(reader, columns, faults))
    faults += _conflicts(rows)
    if faults:
        more = f" … and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
        raise LabelsError(f"{path.name}: " + "; ".join(faults[:MAX_FAULTS]) + more)
    return [label for _, label in rows]


def write_labels(labels: Iterable[Label], path: Path) -> None:
    """Write a labels file with the columns that are used.

    Raises
    ------
    ValueError
        if a text holds a tab or line end, which this format cannot say.
    """
    dumped = [label.model_dump(mode="json", exclude_none=True) for label in labels]
    columns = [name for name in LABEL_COLUMNS if name == "scan" or any(name in row for row in dumped)]
    lines = ["\t".join(columns)]
    for row in dumped:
        cells = [_cell(row.get(name)) for name in columns]
        if any(char in cell for cell in cells for char in "\t\r\n"):
            raise ValueError(f"A label cannot hold a tab or a line end, got {cells!r}")
        lines.append("\t".join(cells))
    write_atomic(path, "\n".join(lines) + "\n", path.parent)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _check_columns(path: Path, columns: list[str]) -> list[str]:
    unknown = [name for name in columns if name not in LABEL_COLUMNS]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if "scan" not in columns:
        raise LabelsError(f"{path.name}: line 1: the column `scan` is missing")
    if unknown or twice:
        fault = f"unknown columns {unknown}" if unknown else f"columns given twice {twice}"
        raise LabelsError(f"{path.name}: line 1: {fault}; known are {' '.join(LABEL_COLUMNS)}")
    return columns


def _parse(reader: Iterable[list[str]], columns: list[str], faults: list[str]) -> Iterator[tuple[int, Label]]:
    for line, cells in enumerate(reader, start=2):
        if not any(cells):
            continue
        if len(cells) != len(columns):
            faults.append(f"line {line}: {len(cells)} cells, expected {len(columns)}")
            continue
        row = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip() not in ("", "n/a")}
        try:
            yield line, Label.model_validate(row)
        except ValidationError as error:
            for fault in error.errors():
                column = str(fault["loc"][0])
                faults.append(f"line {line}, column {column}: {fault['msg']}, got {row.get(column)!r}")


def _conflicts(rows: list[tuple[int, Label]]) -> Iterator[str]:
    seen: dict[tuple[str, str | None], int] = {}
    sides: dict[str, tuple[Split, int]] = {}
    for line, label in rows:
        first = seen.setdefault((label.scan, label.rater), line)
        if first != line:
            yield f"line {line}, column scan: {label.scan!r} was given by the same rater in line {first}"
        if label.participant is None or label.split is None:
            continue
        split, where = sides.setdefault(label.participant, (label.split, line))
        if split != label.split:
            yield (
                f"line {line}, column split: participant {label.participant!r} is in {label.split}, "
                f"but in {split} in line {where}"
            )
