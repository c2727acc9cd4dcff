"""Examples for the edge network: heads painted at random, and what the stages before it said of them.

All stages before take a second of one core, so what they said is kept on disk, a byte a value: some 10 MB an example.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.anatomy.grids import fine
from brainsift.anatomy.network import lay_and_bend
from brainsift.anatomy.stages import draw_edges, find
from brainsift.anatomy.witnesses import (
    BRIGHTEST,
    CHANNELS,
    FINE_CHANNELS,
    IMAGE_CHANNELS,
    TOLD_CHANNELS,
    box_around_brain,
    hear,
    likelihoods,
)
from brainsift.learn.anatomy.data import THICKEST_SLICE_MM, deform_head, draw_painting, paint_head
from brainsift.learn.chunks import ChunkFiles
from brainsift.learn.heads import kept_head
from brainsift.learn.people import take_turns
from brainsift.learn.rows import Rows, read_rows
from brainsift.models.session import load_onnx
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.sulci import PATCH_MM, narrow_sulci, widen_sulci

Float32 = NDArray[np.float32]
Bytes = NDArray[np.uint8]

FILES = ChunkFiles(".npz", ("witnesses", "tissue"))

HEADS, PAINTINGS = 3, 3
"""Of a chunk: deformations of one label map, and images of each."""

RANDOM_SHARE = 0.3
"""Of the images have grey values drawn at random whatever `draw_contrast` would have chosen."""

WHOLE_SHARE = 0.5
THIN_SHARE = 0.5
THIN_SLICE_MM = 2.0
"""Half of the heads are uncut and half have the voxels of a 3D scan; the others are drawn as for the first network."""

NARROW_SHARE, WIDE_SHARE = 0.5, 0.2
"""Heads whose sulci are made narrower, and wider. The label maps draw all sulci a voxel wide or more: learnt from these
alone, brains of real T1w scans of adults came out 4 to 7 % small."""

MOST_WIDENED = 0.5
FINEST_PATCH_MM = 2.0

IMAGE_LEVELS = np.float32(255 / BRIGHTEST)
LEVELS = np.float32(255)


@dataclass(frozen=True)
class Example:
    """What `witnesses.hear` gives but for likelihoods, (TOLD_CHANNELS, x, y, z), and the tissues on the 2 mm grid."""

    witnesses: Bytes
    tissue: Bytes


@dataclass(frozen=True)
class ChunkJob:
    """One chunk: which label map, of whom, the network that says where the tissues are, and the seed."""

    name: str
    path: Path
    person: str
    where: Path
    seed: int


def plan_chunks(label_maps: Sequence[Path], where: Path, chunks: int, seed: int) -> list[ChunkJob]:
    """`chunks` jobs that go around the label maps.

    Raises
    ------
    ValueError
        if there is no label map.
    """
    return [
        ChunkJob(name, path, person, where, own) for name, path, person, own in take_turns(label_maps, chunks, seed)
    ]


def make_chunk(job: ChunkJob, folder: Path) -> Path:
    """Make and write one chunk; a second an example.

    Raises
    ------
    ValueError
        if the average head can be laid over none of its images.
    """
    rng = np.random.default_rng([job.seed, 23])
    where, head = _network(job.where), kept_head(job.path)
    examples: list[tuple[Example, dict[str, Any]]] = []
    for _ in range(HEADS):
        deformed = deform_head(rng, other_sulci(rng, head))
        for _ in range(PAINTINGS):
            facts = _drawn(rng)
            painting = draw_painting(rng, head.values, facts["contrast"], facts["whole"], facts["slices_mm"])
            found = example_of(where, *paint_head(deformed, painting))
            if found is not None:
                examples.append((found, facts))
    if not examples:
        raise ValueError(
            f"no brain was found in any image of {job.path.name}: train the first network longer, or remove the map"
        )
    arrays = {f"{n}_{key}": value for n, (one, _) in enumerate(examples) for key, value in vars(one).items()}
    rows = [{"person": job.person, "facts": facts} for _, facts in examples]
    return FILES.write(folder, job.name, rows, partial(_save, arrays=arrays))


def _save(path: Path, arrays: dict[str, Bytes]) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]


def other_sulci(rng: np.random.Generator, head: LabelMap) -> LabelMap:
    """The head with narrower or wider sulci, or as it is."""
    kind, share, seed = rng.random(), rng.random(), int(rng.integers(2**31))
    patch_mm = float(np.exp(rng.uniform(np.log(FINEST_PATCH_MM), np.log(PATCH_MM))))
    if kind < NARROW_SHARE:
        return narrow_sulci(head, share, seed, patch_mm)
    if kind < NARROW_SHARE + WIDE_SHARE:
        return widen_sulci(head, MOST_WIDENED * share, seed, patch_mm)
    return head


def _drawn(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "contrast": "random" if rng.random() < RANDOM_SHARE else None,
        "whole": bool(rng.random() < WHOLE_SHARE),
        "slices_mm": THIN_SLICE_MM if rng.random() < THIN_SHARE else THICKEST_SLICE_MM,
    }


@lru_cache(maxsize=1)
def _network(path: Path) -> Any:
    return load_onnx(path, "anatomy", threads=1)


def example_of(where: Any, image: Float32, tissue: Bytes) -> Example | None:
    """What the stages say of an image (X, Y, Z), with its tissues; None where the average head cannot be laid over it.

    Parameters
    ----------
    where : session of the first network.
    """
    laid = lay_and_bend(*find(where, image))
    if laid is None:
        return None
    mixture = draw_edges(laid, image)
    box = box_around_brain(laid, mixture)
    if box is None:
        return None
    return Example(pack(hear(laid, image, mixture, box)[:TOLD_CHANNELS]), np.ascontiguousarray(tissue[fine(box)]))


def pack(heard: Float32) -> Bytes:
    """What `witnesses.hear` gives but for likelihoods, (TOLD_CHANNELS, x, y, z), as bytes."""
    brightness = (heard[:IMAGE_CHANNELS] + np.float32(0.5)) * IMAGE_LEVELS
    told = (heard[IMAGE_CHANNELS:] + 1) * LEVELS
    packed: Bytes = np.rint(np.concatenate([brightness, told])).astype(np.uint8)
    return packed


def unpack(packed: Bytes) -> Tensor:
    """The edge network's input from the bytes of `pack`, (1, CHANNELS, x, y, z)."""
    heard = np.empty((CHANNELS, *packed.shape[1:]), np.float32)
    heard[:IMAGE_CHANNELS] = packed[:IMAGE_CHANNELS] / IMAGE_LEVELS - np.float32(0.5)
    heard[IMAGE_CHANNELS:TOLD_CHANNELS] = packed[IMAGE_CHANNELS:] / LEVELS - 1
    likelihoods(heard[:FINE_CHANNELS], heard[TOLD_CHANNELS:])
    return torch.from_numpy(heard)[None]


def mirrored(one: Example) -> Example:
    """The same head with left and right exchanged."""
    folded = one.witnesses[:FINE_CHANNELS].reshape(-1, 2, 2, 2, *one.witnesses.shape[1:])
    turned = folded[:, ::-1, :, :, ::-1].reshape(FINE_CHANNELS, *one.witnesses.shape[1:])
    witnesses = np.concatenate([turned, one.witnesses[FINE_CHANNELS:, ::-1]])
    return Example(witnesses, np.ascontiguousarray(one.tissue[::-1]))


@dataclass(frozen=True, eq=False)
class Bank(Rows):
    """Examples on disk."""

    def __getitem__(self, number: int) -> Example:
        """Read an example; some 5 ms."""
        path, place = self.places[number]
        with np.load(path) as arrays:
            return Example(arrays[f"{place}_witnesses"], arrays[f"{place}_tissue"])


def load_bank(folder: Path) -> Bank:
    """Every finished chunk of a bank; arrays stay on disk.

    Raises
    ------
    ValueError
        if there is none.
    """
    return Bank(*read_rows(FILES, folder))
