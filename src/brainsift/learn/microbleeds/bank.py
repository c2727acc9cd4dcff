"""A bank of examples on disk: simulating a head, its anatomy pass and radial symmetry cost seconds, reading little.

The image in bytes, and lists of the voxels of bleeds: about 5 MB for each scan of a head. Radial symmetry is computed
from the image when it is read, in half a second, so that a bank outlives changes of it; what was read is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.chunks import ChunkFiles
from brainsift.learn.microbleeds.example import LEVELS, Example, Lesion, to_levels
from brainsift.learn.rows import Place, Rows, read_rows
from brainsift.tasks.microbleeds.network import CHANNELS, symmetry

FILES = ChunkFiles(".npz", CHANNELS)
"""What an example's numbers mean are the channels: a bank of other ones is refused."""

ARRAYS = ("image", "affine", "bleed_voxels", "bleed_numbers", "mimic_voxels", "mimic_kinds")

KEPT = 260
"""Examples that stay in memory, 13 MB each; with more than that, the ones used longest ago go."""


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
        arrays |= {f"{number}_{key}": getattr(one, key) for key in ARRAYS}
        arrays[f"{number}_seen"] = np.packbits(one.seen)
        rows.append(
            {
                "person": one.person,
                "modality": one.modality,
                "shape": one.shape,
                "lesions": [asdict(lesion) for lesion in one.lesions],
                "facts": one.facts,
            }
        )
    return FILES.write(folder, name, rows, lambda path: np.savez(path, **arrays))  # type: ignore[arg-type]


def chunk_names(folder: Path) -> list[str]:
    """Names of the finished chunks, sorted."""
    return FILES.names(folder)


@dataclass(frozen=True, eq=False)
class Bank(Rows):
    """Examples on disk.

    Attributes
    ----------
    kept : examples that were read, the last used one last; shared by the parts of a bank.
    """

    kept: OrderedDict[Place, Example] = field(default_factory=OrderedDict, repr=False)

    @property
    def modalities(self) -> tuple[str, ...]:
        """(N,) ``gre``, ``swi`` or ``qsm``."""
        return tuple(str(row["modality"]) for row in self.rows)

    @property
    def simulated(self) -> bool:
        """Whether all of it was simulated; people's labels say nothing of calcium."""
        return all(facts.get("source") == "simulated" for facts in self.facts)

    def without(self, modalities: Iterable[str]) -> Bank:
        """A bank of the scans of other modalities."""
        gone = set(modalities)
        return self.only(i for i, modality in enumerate(self.modalities) if modality not in gone)

    def __getitem__(self, number: int) -> Example:
        """Read an example, or take it from memory."""
        place = self.places[number]
        if place not in self.kept:
            self.kept[place] = _read(place, self.rows[number])
            while len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end(place)
        return self.kept[place]


def _read(place: Place, row: dict[str, Any]) -> Example:
    path, number = place
    with np.load(path) as arrays:
        read = {key: arrays[f"{number}_{key}"] for key in ARRAYS}
        packed = arrays[f"{number}_seen"]
    shape = tuple(row["shape"])
    seen = np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).astype(bool)
    lesions = tuple(Lesion(**(one | {"mm": tuple(one["mm"])})) for one in row["lesions"])
    grey = read["image"].astype(np.float32) / np.float32(LEVELS)
    return Example(
        frst=to_levels(symmetry(grey, seen)),
        seen=seen,
        modality=str(row["modality"]),
        person=str(row["person"]),
        lesions=lesions,
        facts=row["facts"],
        **read,
    )


def load_bank(folder: Path) -> Bank:
    """Every finished chunk of a bank; arrays stay on disk.

    Raises
    ------
    ValueError
        if there is none, or a chunk was written for other channels.
    """
    return Bank(*read_rows(FILES, folder))
