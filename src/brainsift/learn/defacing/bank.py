"""A bank of examples on disk: simulating, defacing and looking at a head costs seconds, reading it back nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.chunks import ChunkFiles
from brainsift.learn.defacing.truth import COLUMNS, label_chances
from brainsift.tasks.defacing.network import CLASSES, WINDOW_SHAPE, Window

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

FILES = ChunkFiles(".npz", COLUMNS)

QUICKLY = 1
"""Level of compression: a byte in three stays, and unpacking takes a twentieth of a training step."""


@dataclass(frozen=True, eq=False)
class Example:
    """What was seen of a scan, and what is known of it.

    Attributes
    ----------
    window : what the network sees.
    places : uint8 of `WINDOW_SHAPE`, see `places.places_of`.
    truth : float32, a row of `COLUMNS`.
    person : whose head it is; nobody may be on both sides of a split.
    facts : what was done, for tables.
    """

    window: Window
    places: UInt8
    truth: Float32
    person: str
    facts: dict[str, Any]


def pack(window: Window, places: UInt8) -> bytes:
    """Voxels of an example, compressed."""
    return zlib.compress(np.stack([window.brightness, window.kind, places]).tobytes(), QUICKLY)


def write_chunk(examples: Sequence[Example], folder: Path, name: str) -> Path:
    """Write examples as ``name.npz`` (voxels and truth) and ``name.json`` (the rest); the latter last, and whole.

    Raises
    ------
    ValueError
        if there are none.
    """

    def save(path: Path) -> None:
        voxels = {f"voxels_{n:03d}": np.frombuffer(pack(e.window, e.places), np.uint8) for n, e in enumerate(examples)}
        np.savez(path, allow_pickle=False, truth=np.stack([e.truth for e in examples]), **voxels)

    return FILES.write(folder, name, [{"person": e.person, **e.facts} for e in examples], save)


def chunk_names(folder: Path) -> list[str]:
    """Names of the finished chunks, sorted."""
    return FILES.names(folder)


@dataclass(frozen=True, eq=False)
class Bank:
    """Examples in memory, their voxels compressed; about 0.7 MB each.

    Attributes
    ----------
    packed : voxels of each example, of `pack`.
    truth : float32 (N, columns), rows of `COLUMNS`.
    people, facts : (N,).
    """

    packed: tuple[bytes, ...]
    truth: Float32
    people: tuple[str, ...]
    facts: tuple[dict[str, Any], ...]

    @cached_property
    def chances(self) -> Float32:
        """Chance of each class, (N, classes), see `label_chances`."""
        labels = [CLASSES[int(number)] for number in self.truth[:, 0]]
        return np.stack([label_chances(label, facts) for label, facts in zip(labels, self.facts, strict=True)])

    def __len__(self) -> int:
        return len(self.people)

    def voxels(self, number: int) -> tuple[Window, UInt8]:
        """What was seen of an example, and what is known of every voxel."""
        flat = np.frombuffer(zlib.decompress(self.packed[number]), np.uint8)
        brightness, kind, places = flat.reshape(3, *WINDOW_SHAPE)
        return Window(brightness, kind), places

    def only(self, chosen: Iterable[int]) -> Bank:
        """A bank of some of the examples."""
        keep = list(chosen)
        return Bank(
            tuple(self.packed[i] for i in keep),
            self.truth[keep],
            tuple(self.people[i] for i in keep),
            tuple(self.facts[i] for i in keep),
        )


def load_bank(folder: Path) -> Bank:
    """Read every finished chunk of a bank.

    Raises
    ------
    ValueError
        if there is none, or a chunk was written for other columns.
    """
    rows: list[dict[str, Any]] = []
    packed: list[bytes] = []
    truth: list[Float32] = []
    for path, stored in FILES.read(folder):
        with np.load(path) as table:
            truth.append(table["truth"])
            packed += [table[f"voxels_{n:03d}"].tobytes() for n in range(len(stored))]
        rows += stored
    people = tuple(str(row.pop("person")) for row in rows)
    return Bank(tuple(packed), np.concatenate(truth), people, tuple(rows))
