"""A bank of examples on disk: corrupting a head in 3D costs seconds, so its slices are kept and used many times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.chunks import ChunkFiles
from brainsift.learn.quality.truth import COLUMNS

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

LEVELS = 255
FILES = ChunkFiles(".npy", COLUMNS)


@dataclass(frozen=True, eq=False)
class Example:
    """Slices of a scan with what is known of it.

    Attributes
    ----------
    pixels : uint8 (S, 224, 192), see `Slices.pixels`, times 255.
    truth : float32, a row of `COLUMNS`.
    person : whose head it is; no person may be on both sides of a split.
    facts : what was done, for tables: numbers and words.
    """

    pixels: UInt8
    truth: Float32
    person: str
    facts: dict[str, Any]


def to_levels(pixels: Float32) -> UInt8:
    """Pixels in [0, 1] as whole levels."""
    return np.rint(pixels * LEVELS).astype(np.uint8)


def write_chunk(examples: Sequence[Example], folder: Path, name: str) -> Path:
    """Write examples as ``name.npy`` (pixels) and ``name.json`` (the rest); the latter last, and whole.

    Raises
    ------
    ValueError
        if there are none.
    """
    rows = [{"person": e.person, "truth": _plain(e.truth), **e.facts} for e in examples]
    return FILES.write(folder, name, rows, lambda path: np.save(path, np.stack([e.pixels for e in examples])))


def _plain(truth: Float32) -> list[float | None]:
    return [round(float(v), 5) if np.isfinite(v) else None for v in truth]


def chunk_names(folder: Path) -> list[str]:
    """Names of the finished chunks, sorted."""
    return FILES.names(folder)


@dataclass(frozen=True, eq=False)
class Bank:
    """Examples read from disk; pixels stay there until asked for.

    Attributes
    ----------
    truth : float32 (N, 6), rows of `COLUMNS`.
    people : (N,) whose heads.
    facts : (N,) what was done.
    """

    truth: Float32
    people: tuple[str, ...]
    facts: tuple[dict[str, Any], ...]
    _arrays: tuple[UInt8, ...]
    _place: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.people)

    def pixels(self, index: int) -> UInt8:
        """uint8 (S, 224, 192) of one example."""
        array, row = self._place[index]
        pixels: UInt8 = self._arrays[array][row]
        return pixels

    def only(self, chosen: Iterable[int]) -> Bank:
        """A bank of some of the examples."""
        keep = list(chosen)
        return Bank(
            self.truth[keep],
            tuple(self.people[i] for i in keep),
            tuple(self.facts[i] for i in keep),
            self._arrays,
            tuple(self._place[i] for i in keep),
        )

    def __add__(self, other: Bank) -> Bank:
        """The examples of both."""
        shift = len(self._arrays)
        place = (*self._place, *((array + shift, row) for array, row in other._place))
        truth = np.concatenate([self.truth, other.truth])
        return Bank(truth, self.people + other.people, self.facts + other.facts, self._arrays + other._arrays, place)

    def with_truth(self, truth: Float32) -> Bank:
        """The same examples with other rows of truth, (N, 6)."""
        return replace(self, truth=truth)


def load_bank(folder: Path) -> Bank:
    """Open every finished chunk of a bank.

    Raises
    ------
    ValueError
        if there is none, or a chunk was written for other columns.
    """
    rows: list[dict[str, Any]] = []
    arrays, place = [], []
    for number, (path, stored) in enumerate(FILES.read(folder)):
        arrays.append(np.load(path, mmap_mode="r"))
        place += [(number, i) for i in range(len(stored))]
        rows += stored
    truth = np.array([[np.nan if v is None else v for v in row.pop("truth")] for row in rows], np.float32)
    people = tuple(str(row.pop("person")) for row in rows)
    return Bank(truth, people, tuple(rows), tuple(arrays), tuple(place))
