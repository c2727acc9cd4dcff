"""The files of a bank of examples: chunk by chunk, arrays in one file and all else in ``.json``, written last."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ChunkFiles:
    """How the chunks of one kind of bank lie in a folder. A chunk is finished when its ``.json`` is there.

    Attributes
    ----------
    ending : of the file with arrays: ``.npy`` or ``.npz``.
    columns : what the numbers of an example's truth mean; noted in each chunk, and other ones are refused.
    """

    ending: str
    columns: tuple[str, ...]

    def names(self, folder: Path) -> list[str]:
        """Names of the finished chunks, sorted."""
        return sorted(p.stem for p in folder.glob("*.json") if p.with_suffix(self.ending).exists())

    def write(self, folder: Path, name: str, rows: Sequence[Mapping[str, Any]], save: Callable[[Path], None]) -> Path:
        """Write a chunk, each file whole or not at all; returns the path of the ``.json``.

        Parameters
        ----------
        rows : what is known of each example, as JSON can hold it.
        save : writes the arrays to the path that it is given.

        Raises
        ------
        ValueError
            if there is no example.
        """
        if not rows:
            raise ValueError("a chunk of a bank holds at least one example")
        folder.mkdir(parents=True, exist_ok=True)
        # numpy adds the ending where a path has another, so the unfinished file has it too.
        part = folder / f"{name}.part{self.ending}"
        save(part)
        part.replace(folder / f"{name}{self.ending}")
        part = folder / f"{name}.part"
        part.write_text(json.dumps({"columns": self.columns, "rows": rows}) + "\n", encoding="utf-8")
        path = folder / f"{name}.json"
        part.replace(path)
        return path

    def read(self, folder: Path) -> list[tuple[Path, list[dict[str, Any]]]]:
        """Every finished chunk, by name: where its arrays are, and the rows of its examples.

        Raises
        ------
        ValueError
            if there is none, or a chunk was written for other columns.
        """
        names = self.names(folder)
        if not names:
            raise ValueError(f"there is no bank of examples in {folder}: build it first")
        return [(folder / f"{name}{self.ending}", self._rows(folder / f"{name}.json")) for name in names]

    def _rows(self, path: Path) -> list[dict[str, Any]]:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if tuple(stored["columns"]) != self.columns:
            raise ValueError(f"{path.name} holds {stored['columns']}, not {list(self.columns)}: build the bank again")
        rows: list[dict[str, Any]] = stored["rows"]
        return rows
