"""Cubes around candidates, bleeds and mimics of a bank: what teacher and student learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.evaluate.detection.match import REACH_MM
from brainsift.learn.building import read_with_bar
from brainsift.learn.chunks import ChunkFiles
from brainsift.learn.microbleeds.bank import Bank
from brainsift.learn.microbleeds.example import LEVELS, Example
from brainsift.learn.microbleeds.predict import Ask, find
from brainsift.tasks.microbleeds.network import CUBE_CHANNELS, CUBE_MM, CUBE_VOXELS, cubes

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

Source = Literal["candidate", "bleed", "mimic"]

FILES = ChunkFiles(".npz", CUBE_CHANNELS)

CANDIDATES_EACH = 30
"""Of a scan, the detector's most probable ones: more than are left at any threshold."""

MIMICS_EACH = 6
"""Of a scan, whether the detector takes them for bleeds or not: on scans that it has learnt from it is too sure."""

SHIFTS_EACH, SHIFT_MM = 2, 1.0
"""Each bleed is shown so many times more, off its centre: candidates are."""


@dataclass(frozen=True, eq=False)
class CubeBank:
    """Cubes with what they show.

    Attributes
    ----------
    cubes : uint8 (N, channels, 24, 24, 24), the discriminator's input times 255.
    voxels : bool (N, 24, 24, 24), which of them are bleed.
    label : (N,), whether the middle is a bleed.
    scan : (N,), row of the scan in the bank of examples.
    people : (N,), whose heads.
    source : (N,), how the place was found.
    """

    cubes: UInt8
    voxels: Mask
    label: Mask
    scan: NDArray[np.intp]
    people: tuple[str, ...]
    source: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label)

    def input(self, rows: slice | NDArray[np.intp] = slice(None)) -> Float32:
        """What the discriminator is fed, float32 (n, channels, 24, 24, 24)."""
        return self.cubes[rows].astype(np.float32) / np.float32(LEVELS)

    def only(self, chosen: Sequence[int] | NDArray[np.intp]) -> CubeBank:
        """Some of the cubes."""
        rows = np.asarray(chosen, np.intp)
        return CubeBank(
            self.cubes[rows],
            self.voxels[rows],
            self.label[rows],
            self.scan[rows],
            tuple(self.people[i] for i in rows),
            tuple(self.source[i] for i in rows),
        )


def cut_bank(ask: Ask, bank: Bank, folder: Path, seed: int = 0, *, quiet: bool = True) -> CubeBank:
    """Cubes of every scan of a bank, kept in `folder`; what lies there already is used. Two seconds a scan.

    Raises
    ------
    ValueError
        if no scan has a candidate, a bleed or a mimic.
    """
    read_with_bar(partial(_cut_missing, ask, bank, folder, seed), what="cutting cubes", quiet=quiet)
    return load_cubes(folder, bank)


def _cut_missing(ask: Ask, bank: Bank, folder: Path, seed: int, progress: Callable[[int, int], None]) -> None:
    there = set(FILES.names(folder))
    for number, name in enumerate(bank.names):
        stored = name.replace("/", "_")
        if stored not in there:
            _write(_cubes_of(ask, bank[number], np.random.default_rng([seed, number])), folder, stored)
        progress(number + 1, len(bank))


def load_cubes(folder: Path, bank: Bank) -> CubeBank:
    """The cubes of a bank's scans.

    Raises
    ------
    ValueError
        if there is none, or they were cut for other channels.
    """
    rows_of = {path.stem: rows for path, rows in FILES.read(folder)}
    parts, voxels, label, scan, people, source = [], [], [], [], [], []
    for number, name in enumerate(bank.names):
        stored = name.replace("/", "_")
        if not rows_of.get(stored) or "source" not in rows_of[stored][0]:
            continue
        with np.load(folder / f"{stored}.npz") as arrays:
            parts.append(arrays["cubes"])
            packed = arrays["voxels"]
        n = len(parts[-1])
        voxels.append(np.unpackbits(packed, axis=1, count=CUBE_VOXELS**3).reshape(n, *(CUBE_VOXELS,) * 3).astype(bool))
        label += [bool(row["label"]) for row in rows_of[stored]]
        source += [str(row["source"]) for row in rows_of[stored]]
        scan += [number] * n
        people += [bank.people[number]] * n
    if not parts:
        raise ValueError(f"there are no cubes in {folder}: the detector found no candidate and there is no bleed")
    return CubeBank(
        np.concatenate(parts),
        np.concatenate(voxels),
        np.array(label, bool),
        np.array(scan, np.intp),
        tuple(people),
        tuple(source),
    )


@dataclass(frozen=True, eq=False)
class _Cut:
    """Cubes of one scan."""

    cubes: UInt8
    voxels: Mask
    rows: list[dict[str, object]]


def _write(one: _Cut, folder: Path, name: str) -> None:
    packed = np.packbits(one.voxels.reshape(len(one.voxels), CUBE_VOXELS**3), axis=1)
    # A scan without a place is a chunk as well, so that it is not asked again.
    rows = one.rows or [{"nothing": True}]
    FILES.write(folder, name, rows, lambda path: np.savez(path, cubes=one.cubes, voxels=packed))


def _cubes_of(ask: Ask, example: Example, rng: np.random.Generator) -> _Cut:
    found = find(ask, example, most=CANDIDATES_EACH)
    centres = example.centres()
    shifts = rng.uniform(-SHIFT_MM, SHIFT_MM, (len(centres), SHIFTS_EACH, 3)) / example.spacing
    around = np.concatenate([centres[:, None], centres[:, None] + shifts], axis=1).reshape(-1, 3)
    places = {"candidate": found.voxel, "bleed": around, "mimic": _some_mimics(example, rng)}
    voxel = np.concatenate(list(places.values()))
    source = [name for name, part in places.items() for _ in range(len(part))]
    label = is_bleed(example, voxel)
    # A mark near a bleed says nothing of mimics.
    said = [name == "candidate" or label[i] == (name == "bleed") for i, name in enumerate(source)]
    keep = np.flatnonzero(said & ~is_unasked(example, voxel)).tolist()
    voxel = voxel[keep]
    seen = cubes(example.prepared(), voxel)
    rows: list[dict[str, object]] = [{"label": bool(label[i]), "source": source[i]} for i in keep]
    return _Cut(np.rint(np.clip(seen, 0, 1) * np.float32(LEVELS)).astype(np.uint8), _bleed_voxels(example, voxel), rows)


def _some_mimics(example: Example, rng: np.random.Generator) -> Float64:
    """(N, 3) voxels, of each kind about equally many."""
    voxels, kinds = example.mimics()
    if not len(kinds):
        return np.zeros((0, 3))
    known = np.unique(kinds)
    chosen = [rng.choice(voxels[kinds == rng.choice(known)]) for _ in range(MIMICS_EACH)]
    return np.stack(np.unravel_index(np.array(chosen), example.shape), axis=1).astype(float)


def is_bleed(example: Example, voxel: Float64) -> Mask:
    """(N,) whether a place lies in a bleed or near the centre of one; (N, 3) voxels."""
    if not len(voxel) or not example.lesions:
        return np.zeros(len(voxel), bool)
    apart = np.linalg.norm((voxel[:, None] - example.centres()[None]) * example.spacing, axis=2)
    at = np.clip(np.rint(voxel).astype(int), 0, np.array(example.shape) - 1)
    inside: Mask = (apart.min(axis=1) <= REACH_MM) | (example.pieces()[tuple(at.T)] > 0)
    return inside


def is_unasked(example: Example, voxel: Float64) -> Mask:
    """(N,) whether a place, (3,) voxels, is no bleed and lies in or near what `Example.unasked` names."""
    listed = example.unasked()
    if not len(voxel) or not len(listed):
        return np.zeros(len(voxel), bool)
    at = np.stack(np.unravel_index(listed, example.shape), axis=1)
    apart = np.linalg.norm((voxel[:, None] - at[None]) * example.spacing, axis=2).min(axis=1)
    near: Mask = (apart <= REACH_MM) & ~is_bleed(example, voxel)
    return near


def _bleed_voxels(example: Example, voxel: Float64) -> Mask:
    """bool (N, 24, 24, 24), the bleeds' voxels in each cube."""
    result = np.zeros((len(voxel), *(CUBE_VOXELS,) * 3), bool)
    if not example.lesions or not len(voxel):
        return result
    pieces = example.pieces()
    away_mm = (np.arange(CUBE_VOXELS) - (CUBE_VOXELS - 1) / 2) * CUBE_MM / CUBE_VOXELS
    for number, centre in enumerate(voxel):
        axes = [centre[axis] + away_mm / example.spacing[axis] for axis in range(3)]
        at = np.stack(np.meshgrid(*axes, indexing="ij"))
        result[number] = ndimage.map_coordinates(pieces, at, order=0, mode="constant") > 0
    return result
