"""Rows of a JSONL file, asked for once: a benchmark that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar

Row = dict[str, Any]
K = TypeVar("K", bound=Hashable)


def read_rows(path: Path) -> list[Row]:
    """All rows of a file; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def ask_missing(
    path: Path, keys: Iterable[K], key_of: Callable[[Row], K], ask: Callable[[K], Iterable[Row]]
) -> list[Row]:
    """All rows of a file, those of missing keys added as each is asked about.

    Parameters
    ----------
    key_of : the key that a row came from.
    ask : gives the rows of a key.
    """
    rows = read_rows(path)
    done = {key_of(row) for row in rows}
    for key in keys:
        if key in done:
            continue
        found = list(ask(key))
        with path.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in found)
        rows += found
        print(key, len(found), flush=True)
    return rows
