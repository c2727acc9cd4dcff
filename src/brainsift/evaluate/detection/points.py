"""A TSV of points: lesions that a person, or a program, has set a mark on."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.detection.marks import Marks, marks_of_points

Float64 = NDArray[np.float64]

VOXEL, MM = ("x", "y", "z"), ("x_mm", "y_mm", "z_mm")
"""Columns of a place: in voxels of the scan as it is stored, counted from 0, or in mm of its affine. Both there: mm."""

SIZE, SCORES = "diameter_mm", ("probability", "score")

CERTAINTY, POSSIBLE = "certainty", "possible"
"""Column of MARS (Gregoire 2009, Neurology 73:1759), and what is said there of a bleed that is not definite."""

MAX_FAULTS = 5
"""Faults named in one message."""


class PointsError(ValueError):
    """A file of points that cannot be used; `cause` and `remedy` in words."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause, self.remedy = cause, remedy

    def __reduce__(self) -> tuple[type[PointsError], tuple[str, str]]:
        return type(self), (self.cause, self.remedy)


@dataclass(frozen=True, eq=False)
class Points:
    """What such a file holds.

    Attributes
    ----------
    places : (N, 3).
    in_mm : whether places are in mm, else in voxels of the scan as stored.
    diameter_mm : (N,), NaN where it is not given.
    score : (N,), or None where the file has none.
    possible : (N,) whether a bleed is called possible and not definite.
    """

    places: Float64
    in_mm: bool
    diameter_mm: Float64
    score: Float64 | None
    possible: NDArray[np.bool_]

    def definite(self) -> Points:
        """Without those that are called possible."""
        keep = ~self.possible
        score = None if self.score is None else self.score[keep]
        return Points(self.places[keep], self.in_mm, self.diameter_mm[keep], score, self.possible[keep])

    def marks(self, affine: Float64 | None = None) -> Marks:
        """As marks in mm; `affine` (4x4) takes voxels of the scan as stored to mm.

        Raises
        ------
        PointsError
            if places are in voxels and no affine is given.
        """
        if self.in_mm:
            return marks_of_points(self.places, self.diameter_mm, self.score)
        if affine is None:
            raise PointsError(
                "The points are in voxels of a scan that is not there.", "Give the scan, or x_mm y_mm z_mm."
            )
        return marks_of_points(self.places @ affine[:3, :3].T + affine[:3, 3], self.diameter_mm, self.score)


def read_points(path: Path) -> Points:
    """Read a TSV with a header; one that holds no row says that there is no lesion.

    Columns: `x y z` or `x_mm y_mm z_mm`; `diameter_mm`, `probability` (or `score`) and `certainty` where known; others
    are left.

    Raises
    ------
    PointsError
        if a column is missing or a cell holds no number, with its line.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, delimiter="\t")
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        place = next((names for names in (MM, VOXEL) if set(names) <= set(columns)), None)
        if place is None:
            raise PointsError(
                f"{path.name}: line 1: there are no columns `x y z` or `x_mm y_mm z_mm`.",
                "Write one row for each microbleed, separated by tabs, below a line with the names.",
            )
        score = next((name for name in SCORES if name in columns), None)
        lines = [
            (line, row)
            for line, row in enumerate(reader, start=2)
            if any(isinstance(cell, str) and cell.strip() for cell in row.values())
        ]
    faults: list[str] = []
    named = [name for name in (*place, SIZE, score) if name]
    rows = [[_number(row, name, line, faults, needed=name != SIZE) for name in named] for line, row in lines]
    if faults:
        more = f" and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
        raise PointsError(f"{path.name}: {'; '.join(faults[:MAX_FAULTS])}{more}.", "Write a number there.")
    table = np.array(rows, float).reshape(-1, 4 + (score is not None))
    possible = np.array([(row.get(CERTAINTY) or "").strip().lower() == POSSIBLE for _, row in lines], bool)
    return Points(table[:, :3], place is MM, table[:, 3], None if score is None else table[:, 4], possible)


def _number(row: dict[str, str], name: str, line: int, faults: list[str], *, needed: bool) -> float:
    """The number in a cell; NaN where it is not needed and not there."""
    cell = (row.get(name) or "").strip()
    if not needed and cell in ("", "n/a"):
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        faults.append(f"line {line}, column {name}: got {cell!r}")
    return value
