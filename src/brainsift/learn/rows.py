"""What banks of examples in chunks have in common: where each example lies, and what is known of it without reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from brainsift.learn.chunks import ChunkFiles

Place = tuple[Path, int]
"""A file with arrays, and the number of an example within it."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Examples on disk.

    Attributes
    ----------
    places : (N,), file and number within it.
    rows : (N,), what is known without reading arrays; `person` and `facts` among it.
    """

    places: tuple[Place, ...]
    rows: tuple[dict[str, Any], ...]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def people(self) -> tuple[str, ...]:
        """(N,) whose heads."""
        return tuple(str(row["person"]) for row in self.rows)

    @property
    def facts(self) -> tuple[dict[str, Any], ...]:
        """(N,) what was drawn or read."""
        return tuple(row["facts"] for row in self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """(N,) chunk and number, which do not change when a bank grows."""
        return tuple(f"{path.stem}/{number}" for path, number in self.places)

    def only(self, chosen: Iterable[int]) -> Self:
        """A bank of some of the examples."""
        keep = list(chosen)
        return replace(self, places=tuple(self.places[i] for i in keep), rows=tuple(self.rows[i] for i in keep))


def read_rows(files: ChunkFiles, folder: Path) -> tuple[tuple[Place, ...], tuple[dict[str, Any], ...]]:
    """Places and rows of every finished chunk; arrays stay on disk.

    Raises
    ------
    ValueError
        if there is none, or a chunk was written for other columns.
    """
    places, rows = [], []
    for path, stored in files.read(folder):
        places += [(path, number) for number in range(len(stored))]
        rows += stored
    return tuple(places), tuple(rows)
