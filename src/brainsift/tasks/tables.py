"""Tables of what a task found one by one, such as lesions: numbers to hundredths, and the text of a TSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def rounded(place: Iterable[float]) -> tuple[float, float, float]:
    """To hundredths."""
    x, y, z = (round(float(value), 2) for value in place)
    return x, y, z


def table_text(kind: type[DataclassInstance], rows: Sequence[DataclassInstance]) -> str:
    """Rows of one kind as tab-separated text with a header; ``n/a`` where there is no value, as BIDS has it."""
    names = tuple(field.name for field in fields(kind))
    cells: list[tuple[Any, ...]] = [names, *(astuple(row) for row in rows)]
    return "".join("\t".join("n/a" if cell is None else str(cell) for cell in row) + "\n" for row in cells)
