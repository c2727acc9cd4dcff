"""A bank of examples on disk: simulating, defacing and looking at a head costs seconds, reading it back nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.chunks import ChunkFiles
from brainsift.learn.defacing.truth import COLUMNS
from brainsift.tasks.defacing.network import Seen, scaled_signals, stacked_views, without_masked_air

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

LEVELS = 255
FILES = ChunkFiles(".npz", COLUMNS)


@dataclass(frozen=True, eq=False)
class Example:
    """What was seen of a scan, and what is known of it.

    Attributes
    ----------
    planes : uint8 (views x layers, ROWS, COLUMNS), see `stacked_views`, times 255.
    signals : float32 (2, signals): scaled values, and which are known.
    truth : float32, a row of `COLUMNS`.
    person : whose head it is; nobody may be on both sides of a split.
    facts : what was done, for tables.
    """

    planes: UInt8
    signals: Float32
    truth: Float32
    person: str
    facts: dict[str, Any]


def make_example(seen: Seen, truth: Float32, person: str, facts: dict[str, Any]) -> Example:
    """An example of what inference would see."""
    seen = without_masked_air(seen)
    planes = np.rint(stacked_views(seen.views) * LEVELS).astype(np.uint8)
    return Example(planes, np.stack(scaled_signals(seen.signals)), truth, person, facts)


def write_chunk(examples: Sequence[Example], folder: Path, name: str) -> Path:
    """Write examples as ``name.npz`` (planes, signals, truth) and ``name.json`` (the rest); the latter last, and whole.

    Raises
    ------
    ValueError
        if there are none.
    """

    def save(path: Path) -> None:
        np.savez_compressed(
            path,
            planes=np.stack([e.planes for e in examples]),
            signals=np.stack([e.signals for e in examples]),
            truth=np.stack([e.truth for e in examples]),
        )

    return FILES.write(folder, name, [{"person": e.person, **e.facts} for e in examples], save)


def chunk_names(folder: Path) -> list[str]:
    """Names of the finished chunks, sorted."""
    return FILES.names(folder)


@dataclass(frozen=True, eq=False)
class Bank:
    """Examples in memory; 340 kB each.

    Attributes
    ----------
    planes : uint8 (N, views x layers, ROWS, COLUMNS).
    signals : float32 (N, 2, signals).
    truth : float32 (N, 7), rows of `COLUMNS`.
    people, facts : (N,).
    """

    planes: UInt8
    signals: Float32
    truth: Float32
    people: tuple[str, ...]
    facts: tuple[dict[str, Any], ...]

    def __len__(self) -> int:
        return len(self.people)

    def only(self, chosen: Iterable[int]) -> Bank:
        """A bank of some of the examples."""
        keep = list(chosen)
        return Bank(
            self.planes[keep],
            self.signals[keep],
            self.truth[keep],
            tuple(self.people[i] for i in keep),
            tuple(self.facts[i] for i in keep),
        )


def load_bank(folder: Path) -> Bank:
    """Read every finished chunk of a bank.

    Raises
    ------
    ValueError
        if there is none, or a chunk was written for other columns or signals.
    """
    rows: list[dict[str, Any]] = []
    arrays: list[dict[str, NDArray[Any]]] = []
    for path, stored in FILES.read(folder):
        with np.load(path) as table:
            arrays.append({key: table[key] for key in ("planes", "signals", "truth")})
        rows += stored
    if len({a["signals"].shape[1:] for a in arrays}) > 1:
        raise ValueError(f"chunks of {folder} hold different signals: build the bank again")
    people = tuple(str(row.pop("person")) for row in rows)
    joined = {key: np.concatenate([a[key] for a in arrays]) for key in ("planes", "signals", "truth")}
    return Bank(joined["planes"], joined["signals"], joined["truth"], people, tuple(rows))
