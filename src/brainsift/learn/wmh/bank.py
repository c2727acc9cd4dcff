"""A bank of examples on disk: simulating a head and labelling its anatomy costs seconds, reading it back little.

Arrays lie as they are, truths and labels as lists of their voxels, so that an example takes about 6 MB and a part of it
is read in milliseconds; a bank of hundreds of heads need not fit into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.chunks import ChunkFiles
from brainsift.learn.rows import Rows, read_rows
from brainsift.learn.wmh.example import Example
from brainsift.learn.wmh.geometry import CoarseLabel
from brainsift.tasks.wmh.network import CHANNELS

FILES = ChunkFiles(".npz", CHANNELS)
"""What an example's numbers mean are the channels: a bank of other ones is refused."""

GEOMETRY = ("affine", "coarse_affine", "coarse_shape", "coarse_axis", "thickness_mm")
"""Of a row, beside `person`, `facts`, `truth_known` and `shape`."""


def write_chunk(examples: Sequence[Example], folder: Path, name: str) -> Path:
    """Write examples as ``name.npz`` (arrays) and ``name.json`` (the rest), the latter last, and whole.

    Raises
    ------
    ValueError
        if there are none.
    """
    arrays: dict[str, NDArray[Any]] = {}
    rows = []
    for number, one in enumerate(examples):
        arrays[f"{number}_t1w"], arrays[f"{number}_anatomy"] = one.t1w, one.anatomy
        row: dict[str, Any] = {"person": one.person, "facts": one.facts, "shape": one.shape}
        row |= {"affine": one.affine.tolist(), "truth_known": one.truth is not None}
        if one.truth is not None:
            arrays[f"{number}_truth"], arrays[f"{number}_share"] = _sparse(one.truth)
        if one.coarse is not None:
            arrays[f"{number}_coarse"] = _sparse(one.coarse.mask)[0]
            row |= {
                "coarse_affine": one.coarse.affine.tolist(),
                "coarse_shape": one.coarse.mask.shape,
                "coarse_axis": one.coarse.axis,
                "thickness_mm": one.coarse.thickness_mm,
            }
        rows.append(row)
    return FILES.write(folder, name, rows, lambda path: np.savez(path, **arrays))  # type: ignore[arg-type]


def _sparse(values: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Places and values of the voxels that are not 0."""
    flat = values.reshape(-1)
    places = np.flatnonzero(flat).astype(np.int32)
    return places, flat[places]


def chunk_names(folder: Path) -> list[str]:
    """Names of the finished chunks, sorted."""
    return FILES.names(folder)


@dataclass(frozen=True, eq=False)
class Bank(Rows):
    """Examples on disk."""

    def __getitem__(self, number: int) -> Example:
        """Read an example; some 10 ms."""
        (path, place), row = self.places[number], self.rows[number]
        with np.load(path) as arrays:
            truth = coarse = None
            if row["truth_known"]:
                truth = _dense(row["shape"], arrays[f"{place}_truth"], arrays[f"{place}_share"])
            if "coarse_shape" in row:
                mask = _dense(row["coarse_shape"], arrays[f"{place}_coarse"], 1)
                affine = np.array(row["coarse_affine"])
                coarse = CoarseLabel(mask, affine, int(row["coarse_axis"]), float(row["thickness_mm"]))
            t1w, anatomy = arrays[f"{place}_t1w"], arrays[f"{place}_anatomy"]
        return Example(t1w, anatomy, np.array(row["affine"]), str(row["person"]), truth, coarse, row["facts"])


def _dense(shape: Sequence[int], places: NDArray[np.int32], values: NDArray[np.uint8] | int) -> NDArray[np.uint8]:
    flat = np.zeros(int(np.prod(shape)), np.uint8)
    flat[places] = values
    return flat.reshape(tuple(shape))


def load_bank(folder: Path) -> Bank:
    """Every finished chunk of a bank; arrays stay on disk.

    Raises
    ------
    ValueError
        if there is none, or a chunk was written for other channels.
    """
    return Bank(*read_rows(FILES, folder))
