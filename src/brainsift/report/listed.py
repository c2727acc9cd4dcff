"""The first rows of a table that a task has written beside the record."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from brainsift.store.files import require_inside


def first_rows(relative: str | None, output: Path, columns: Collection[str], most: int) -> list[list[str]]:
    """Cells of some columns of the first rows; none where the table is missing or not ours.

    Parameters
    ----------
    relative : path of the tab-separated table in the OUTPUT folder.
    columns : wanted, in this order.
    most : number of rows.
    """
    if relative is None:
        return []
    path = output / relative
    require_inside(path.parent, output)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    rows = [line.split("\t") for line in lines]
    if not rows or not set(columns) <= set(rows[0]):
        return []
    places = [rows[0].index(name) for name in columns]
    return [[row[place] for place in places] for row in rows[1 : most + 1] if len(row) == len(rows[0])]
