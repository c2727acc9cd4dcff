"""`brainsift evaluate wmh`: masks of any program against people's masks, scan by scan and for the group."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.cli.compared import Compared, figure_lines, number, person_of

if TYPE_CHECKING:
    from brainsift.cli.masks import MaskFiles
    from brainsift.evaluate.labels import Label
    from brainsift.evaluate.segmentation.group import GroupFigure
    from brainsift.evaluate.segmentation.scan import ScanScores

SCAN_TABLE, GROUP_TABLE = "evaluation_wmh.tsv", "evaluation_wmh_group.tsv"

EVIDENCE = "wmh_mask"
"""Name of the mask in the evidence of the task's finding."""

SHOWN = {
    "dice": "Dice",
    "hd95_mm": "HD95 mm",
    "avd_percent": "AVD %",
    "lesion_recall": "lesion recall",
    "lesion_precision": "lesion precision",
    "lesion_f1": "lesion F1",
    "result_ml": "mL found",
}
"""Metric → column of the printed table."""


@dataclass(frozen=True)
class Row:
    """One mask against one rater's: whose scan, which mask, the figures, and what to know of them."""

    label: Label
    person: str
    mask: Path
    scores: ScanScores
    note: str


def labelled_masks(labels: Path) -> tuple[list[Label], int]:
    """Rows with a mask that no model was fitted on, and how many were left out because one was.

    Raises
    ------
    Stop
        if there are none.
    """
    from brainsift.cli.labelled import labelled_with

    return labelled_with(labels, "wmh_mask", "a mask", "Write the path of a mask there, relative to the labels file.")


def own_masks(output: Path, scans: list[str]) -> MaskFiles:
    """The masks that a run has written, from its records."""
    from brainsift.cli.masks import own_files

    return own_files("wmh", output, scans, (EVIDENCE,), "mask")


def compare_masks(labels: list[Label], folder: Path, masks: MaskFiles, seen: int = 0) -> Compared[Row]:
    """Compare each row's mask, below `folder`, with the one of the program."""
    from brainsift.cli.masks import score_files
    from brainsift.scans.errors import ScanError

    compared: Compared[Row] = Compared(seen=seen)
    for label in labels:
        if label.scan not in masks.found or label.wmh_mask is None:
            compared.failed[label.scan] = masks.missing.get(label.scan, "no mask has its name")
            continue
        mask = masks.found[label.scan]
        try:
            scores, note = score_files(folder / label.wmh_mask, mask)
        except (ScanError, ValueError) as error:
            compared.failed[label.scan] = error.cause if isinstance(error, ScanError) else str(error)
            continue
        compared.rows.append(Row(label, person_of(label), mask, scores, note))
    return compared


def tell(compared: Compared[Row], figures: list[GroupFigure]) -> None:
    """Print the group's table, how volumes agree, and what could not be compared."""
    from rich.table import Table

    from brainsift.cli.console import answers
    from brainsift.cli.evaluate import cell

    console = answers()
    people = len({row.person for row in compared.rows})
    console.print(f"{len(compared.rows)} masks of {people} people compared.", markup=False)
    if compared.seen:
        left = f"{compared.seen} rows marked `train` or `validation`: the model has seen them"
        console.print(f"Left out: {left}.", markup=False)
    told = {(f.scans, f.metric, f.statistic): f.interval for f in figures}
    table = Table(box=None, pad_edge=False, title="Median (95 % interval)", title_justify="left", title_style="bold")
    for column in ("scans", "n", *SHOWN.values()):
        table.add_column(column, justify="left" if column == "scans" else "right")
    for scans in dict.fromkeys(f.scans for f in figures):
        n = str(told[scans, "result_ml", "median"].n)
        cells = [told.get((scans, metric, "median")) for metric in SHOWN]
        table.add_row(scans, n, *("-" if interval is None else cell(interval) for interval in cells))
    console.print(table)
    for figure in figures:
        if figure.metric == "volume_ml":
            console.print(f"volume: {figure.statistic} {cell(figure.interval)}", markup=False)
    for row in compared.rows:
        if row.note:
            console.print(f"{row.label.scan}: {row.note}.", markup=False)
    for scan, why in compared.failed.items():
        console.print(f"not compared: {scan}: {why}", markup=False)


def write_tables(folder: Path, compared: Compared[Row], figures: list[GroupFigure]) -> list[Path]:
    """Write one table with a row per mask, and one with the group's figures."""
    from brainsift.evaluate.segmentation.scan import ScanScores
    from brainsift.store.files import write_atomic
    from brainsift.store.text import tsv_cell

    names = [f.name for f in fields(ScanScores)]
    lines = ["\t".join(("scan", "participant", "rater", *names, "note"))]
    for row in compared.rows:
        numbers = [number(value) for value in asdict(row.scores).values()]
        whose = (row.label.scan, row.label.participant or "", row.label.rater or "")
        lines.append("\t".join((*map(tsv_cell, whose), *numbers, tsv_cell(row.note))))
    for scan, why in compared.failed.items():
        lines.append("\t".join((tsv_cell(scan), "", "", *[""] * len(names), tsv_cell(f"not compared: {why}"))))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in ((SCAN_TABLE, lines), (GROUP_TABLE, figure_lines(figures))):
        write_atomic(folder / name, "\n".join(content) + "\n", folder)
        written.append(folder / name)
    return written
