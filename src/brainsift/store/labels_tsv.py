"""Writing `labels.tsv`, the file of what people know of scans; `evaluate.labels` reads and checks it.

`store` may not import `evaluate`: rows are plain, and a test reads back with the one reader what is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from brainsift.store.files import write_atomic
from brainsift.store.text import guarded

LABEL_COLUMNS = (
    "scan",
    "participant",
    "site",
    "sequence",
    "proper",
    "motion",
    "noise",
    "contrast",
    "gadolinium",
    "defacing",
    "wmh_mask",
    "microbleeds",
    "rater",
    "split",
)
"""In the order in which they are written; a test holds them to those of the reader."""


def write_labels(rows: Iterable[Mapping[str, object]], path: Path) -> None:
    """Write a labels file; `path` is in an existing or new folder, `rows` as for `labels_text`."""
    write_atomic(path, labels_text(rows), path.parent)


def labels_text(rows: Iterable[Mapping[str, object]]) -> str:
    """A labels file with the columns that are used, one row per scan and rater.

    Parameters
    ----------
    rows : column → value; a column that is missing or None stays empty, True and False become ``yes`` and ``no``, and
        a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Raises
    ------
    ValueError
        if a row names no scan or has an unknown column, or a text holds a tab or line end, which this format cannot
        say.
    """
    given = [{name: value for name, value in row.items() if value is not None} for row in rows]
    for row in given:
        unknown = [name for name in row if name not in LABEL_COLUMNS]
        if unknown or not row.get("scan"):
            raise ValueError(f"A row needs a scan and columns among {' '.join(LABEL_COLUMNS)}, got {row!r}")
    columns = [name for name in LABEL_COLUMNS if name == "scan" or any(name in row for row in given)]
    lines = ["\t".join(columns)]
    for row in given:
        cells = [_cell(row.get(name)) for name in columns]
        if any(char in cell for cell in cells for char in "\t\r\n"):
            raise ValueError(f"A label cannot hold a tab or a line end, got {cells!r}")
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return guarded(value)
    return "" if value is None else str(value)
