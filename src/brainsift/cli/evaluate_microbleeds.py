"""`brainsift evaluate microbleeds`: masks or points of any program against people's, scan by scan and for the group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.cli.compared import Compared, figure_lines, number, person_of
from brainsift.cli.exits import Stop
from brainsift.cli.masks import ENDINGS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from brainsift.cli.masks import MaskFiles
    from brainsift.evaluate.detection.marks import Marks
    from brainsift.evaluate.detection.match import Match
    from brainsift.evaluate.labels import Label
    from brainsift.evaluate.segmentation.group import GroupFigure

SCAN_TABLE, GROUP_TABLE, CURVE_TABLE = (f"evaluation_microbleeds{part}.tsv" for part in ("", "_group", "_froc"))

EVIDENCE = ("microbleeds_table", "microbleeds_mask")
"""Names in the evidence of the task's finding; the table is preferred, because it says how sure each bleed is."""

LOOKED_AT = "microbleeds_candidates"
"""Name of the table of all candidates, whatever became of them."""

MARK_ENDINGS = (*ENDINGS, ".tsv")
MARK_WORDS = ("microbleed", "cmb", "bleed")

SHOWN = {
    "tpr": "found (TPR)",
    "false_per_scan": "false per scan",
    "precision": "precision",
    "f1": "F1",
    "count_error": "count error",
    "same_bin": "same bin",
}
"""Metric → column of the printed table."""


@dataclass(frozen=True)
class Row:
    """Marks of a program against one rater's: whose scan, which file, and what hit what."""

    label: Label
    person: str
    marks: Path
    match: Match


def labelled_bleeds(labels: Path) -> tuple[list[Label], int]:
    """Rows with points or a mask that no model was fitted on, and how many were left out because one was.

    Raises
    ------
    Stop
        if there are none.
    """
    from brainsift.cli.labelled import labelled_with

    remedy = "Write the path of a mask or of a TSV of points there, relative to the labels file."
    return labelled_with(labels, "microbleeds", "points or a mask", remedy)


def own_marks(output: Path, scans: Sequence[str], *, candidates: bool = False) -> MaskFiles:
    """Tables, or masks, that a run has written, from its records; or its tables of all places that were looked at."""
    from brainsift.cli.masks import own_files

    names, kept = ((LOOKED_AT,), "table of candidates") if candidates else (EVIDENCE, "table and no mask")
    return own_files("microbleeds", output, scans, names, kept)


def compare_marks(
    labels: Sequence[Label],
    folder: Path,
    marks: MaskFiles,
    scans: Path | None,
    reach_mm: float,
    *,
    possible: bool = False,
    seen: int = 0,
) -> Compared[Row]:
    """Match each row's bleeds, below `folder`, with those of the program.

    Parameters
    ----------
    scans : folder of the scans, for points in voxels.
    possible : whether bleeds that are called possible count.
    seen : rows that were left out.
    """
    from brainsift.evaluate.detection.match import match_marks
    from brainsift.scans.errors import ScanError

    compared: Compared[Row] = Compared(seen=seen)
    for label in labels:
        if label.scan not in marks.found or label.microbleeds is None:
            compared.failed[label.scan] = marks.missing.get(label.scan, "nothing has its name")
            continue
        path = marks.found[label.scan]
        try:
            reference, result = read_pair(
                folder / label.microbleeds, path, None if scans is None else scans / label.scan, possible
            )
            match = match_marks(reference, result, reach_mm)
        except (ScanError, ValueError, OSError) as error:
            compared.failed[label.scan] = error.cause if isinstance(error, ScanError) else str(error)
            continue
        compared.rows.append(Row(label, person_of(label), path, match))
    return compared


def read_pair(reference: Path, result: Path, scan: Path | None, possible: bool = False) -> tuple[Marks, Marks]:
    """Both as marks, of points the definite ones or all.

    Voxels of points are those of the scan, or else of the mask on the other side.

    Raises
    ------
    ScanError
        if a file cannot be read.
    ValueError
        if one of them is no mask and no points, or nothing tells where voxels lie.
    """
    from brainsift.evaluate.detection.marks import marks_of_mask
    from brainsift.evaluate.detection.points import read_points
    from brainsift.scans.read import read_file

    read = [None if path.name.endswith(".tsv") else read_file(path) for path in (reference, result)]
    grid = next((volume.input_grid.affine for volume in read if volume is not None), None)
    points = [
        read_points(path) if volume is None else None for path, volume in zip((reference, result), read, strict=True)
    ]
    if scan is not None and scan.is_file() and any(one is not None and not one.in_mm for one in points):
        grid = read_file(scan).input_grid.affine
    made = []
    for volume, one in zip(read, points, strict=True):
        if volume is not None:
            made.append(marks_of_mask(volume.data, volume.affine))
        elif one is not None:
            made.append((one if possible else one.definite()).marks(grid))
    return made[0], made[1]


def thresholds_of(
    compared: Compared[Row], threshold: float | None, folds: int | None, seed: int
) -> NDArray[np.float64]:
    """Least score that counts, of each row: one for all, one from the other folds, or none.

    Raises
    ------
    Stop
        if there are not enough people for the folds.
    """
    import numpy as np

    from brainsift.evaluate.detection.group import cross_fitted_thresholds

    if folds is None:
        return np.full(len(compared.rows), -np.inf if threshold is None else threshold)
    try:
        return cross_fitted_thresholds(
            [row.match for row in compared.rows], [row.person for row in compared.rows], folds, seed
        )
    except ValueError as error:
        raise Stop(f"{error}.", "Give fewer `--folds`, or label scans of more people.") from error


def tell(compared: Compared[Row], figures: Sequence[GroupFigure]) -> None:
    """Print the group's table, points of the FROC curve, and what could not be compared."""
    from rich.table import Table

    from brainsift.cli.console import answers
    from brainsift.cli.evaluate import cell

    console = answers()
    people = len({row.person for row in compared.rows})
    console.print(f"{len(compared.rows)} scans of {people} people compared.", markup=False)
    if compared.seen:
        left = f"{compared.seen} rows marked `train` or `validation`: the model has seen them"
        console.print(f"Left out: {left}.", markup=False)
    table = Table(box=None, pad_edge=False, title="Value (95 % interval)", title_justify="left", title_style="bold")
    for column in ("scans", *SHOWN.values()):
        table.add_column(column, justify="left" if column == "scans" else "right")
    told = {(one.scans, one.metric): one.interval for one in figures if not one.statistic.startswith("at ")}
    for scans in dict.fromkeys(one.scans for one in figures):
        cells = [told.get((scans, metric)) for metric in SHOWN]
        table.add_row(scans, *("-" if interval is None else cell(interval) for interval in cells))
    console.print(table)
    for figure in figures:
        if figure.statistic.startswith("at "):
            console.print(f"found {figure.statistic}: {cell(figure.interval)}", markup=False)
    for scan, why in compared.failed.items():
        console.print(f"not compared: {scan}: {why}", markup=False)


def write_tables(
    folder: Path, compared: Compared[Row], figures: Sequence[GroupFigure], thresholds: NDArray[np.float64]
) -> list[Path]:
    """Write a table with a row per scan, one with the group's figures, and the FROC curve."""
    from brainsift.evaluate.detection.froc import froc_curve
    from brainsift.store.files import write_atomic
    from brainsift.store.text import tsv_cell

    lines = ["\t".join(("scan", "participant", "rater", "reference", "found", "false", "threshold", "note"))]
    for row, threshold in zip(compared.rows, thresholds.tolist(), strict=True):
        whose = (row.label.scan, row.label.participant or "", row.label.rater or "")
        limit = number(threshold) if threshold > float("-inf") else ""
        lines.append("\t".join((*map(tsv_cell, whose), *map(str, row.match.counts(threshold)), limit, "")))
    for scan, why in compared.failed.items():
        lines.append("\t".join((tsv_cell(scan), *[""] * 6, tsv_cell(f"not compared: {why}"))))
    curve = froc_curve([row.match for row in compared.rows])
    points = zip(curve.threshold.tolist(), curve.false_per_scan.tolist(), curve.tpr.tolist(), strict=True)
    froc = ["threshold\tfalse_per_scan\ttpr", *("\t".join(map(number, point)) for point in points)]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in ((SCAN_TABLE, lines), (GROUP_TABLE, figure_lines(figures)), (CURVE_TABLE, froc)):
        write_atomic(folder / name, "\n".join(content) + "\n", folder)
        written.append(folder / name)
    return written
