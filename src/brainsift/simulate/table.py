"""Tables of what is true of simulated scans, as tab-separated text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

NO_YES = ("no", "yes")


def write_tsv(
    path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]], words: tuple[str, str] = NO_YES
) -> Path:
    """Write a header and a line for each row; None gives an empty cell, numbers have four places.

    Parameters
    ----------
    columns : what of each row is written; every row has them all.
    words : how false and true are written.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _text(row[name], words) for name in columns} for row in rows)
    return path


def _text(value: object, words: tuple[str, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return words[value]
    return f"{value:.4f}" if isinstance(value, float) else str(value)
