"""Batches from a bank: examples drawn by label, with changes that leave the truth as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.learn.ahead import AT_ONCE
from brainsift.learn.defacing.bank import Bank
from brainsift.learn.defacing.places import AROUND, Known
from brainsift.tasks.defacing.network import CHANNELS, EMPTY_FIRST, EMPTY_LEVELS, INSIDE, LEVELS, WINDOW_SHAPE, Window

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

BATCH = 4

MAX_SHIFT = 2.0
"""Voxels of 2 mm: the fit to MNI152 errs by about as much."""

LOG_STRETCH_SD, MAX_BEND = 0.04, 1.5
"""Of each axis: a factor, and a wave of one to two cycles, of an amplitude up to so many voxels: faces of other
proportions."""

MASKED_AIR_SHARE = 0.4
"""Of examples are shown with exactly empty air around the head: many scanners mask it, and label maps have none."""

BLURRED_MASK_SHARE = 0.15
"""Of examples are shown as if nothing were exactly empty: resampled after defacing, or filled with other values."""

UNLABELLED_SHARE = 0.05
"""Of examples are shown without tissues, lest a wrong anatomy pass decides."""

COARSER_SHARE = 0.3
"""Of examples are smoothed along one axis."""

LOG_FACTOR_SD, LOG_GAMMA_SD = 0.15, 0.2
"""Of brightness: a factor and an exponent."""

NOISE_SHARE, NOISE = 0.5, 0.03
"""Of examples are shown with more noise, of a standard deviation up to this share of the full scale."""

EMPTY = np.uint8(EMPTY_FIRST * EMPTY_LEVELS)
"""Bits of a voxel that is empty altogether."""


@dataclass(frozen=True)
class Move:
    """Along one axis: mirrored, shifted by voxels, stretched about its middle, bent by a wave."""

    mirror: bool = False
    shift: float = 0.0
    stretch: float = 1.0
    bend: float = 0.0
    cycles: float = 1.0
    phase: float = 0.0

    def sources(self, n: int) -> NDArray[np.intp]:
        """Which of `n` planes comes to each place, `n` for those from outside."""
        middle = (n - 1) / 2
        place = np.arange(n, dtype=np.float64)
        wave = self.bend * np.sin(2 * np.pi * self.cycles * place / n + self.phase)
        found = np.rint(middle + (place - middle - self.shift) / self.stretch + wave).astype(np.intp)
        turned = n - 1 - found if self.mirror else found
        return np.where((turned >= 0) & (turned < n), turned, n)


@dataclass(frozen=True)
class Changes:
    """Drawn changes of one example."""

    moves: tuple[Move, Move, Move] = (Move(), Move(), Move())
    masked_air: bool = False
    blurred_mask: bool = False
    unlabelled: bool = False
    coarser: int | None = None
    factor: float = 1.0
    gamma: float = 1.0
    noise: float = 0.0
    seed: int = 0


def draw_changes(rng: np.random.Generator) -> Changes:
    """Draw changes for an example."""
    mirror = bool(rng.random() < 0.5)
    return Changes(
        moves=(draw_move(rng, mirror), draw_move(rng), draw_move(rng)),
        masked_air=bool(rng.random() < MASKED_AIR_SHARE),
        blurred_mask=bool(rng.random() < BLURRED_MASK_SHARE),
        unlabelled=bool(rng.random() < UNLABELLED_SHARE),
        coarser=int(rng.integers(3)) if rng.random() < COARSER_SHARE else None,
        factor=float(np.exp(LOG_FACTOR_SD * rng.standard_normal())),
        gamma=float(np.exp(LOG_GAMMA_SD * rng.standard_normal())),
        noise=float(rng.uniform(0, NOISE)) if rng.random() < NOISE_SHARE else 0.0,
        seed=int(rng.integers(2**31)),
    )


def draw_move(rng: np.random.Generator, mirror: bool = False) -> Move:
    """Draw how an axis is moved."""
    return Move(
        mirror,
        shift=float(rng.uniform(-MAX_SHIFT, MAX_SHIFT)),
        stretch=float(np.exp(LOG_STRETCH_SD * rng.standard_normal())),
        bend=float(rng.uniform(0, MAX_BEND)),
        cycles=float(rng.uniform(1, 2)),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )


def change(window: Window, places: UInt8, changes: Changes) -> tuple[Window, UInt8]:
    """An example as another scan of the same defacing might show it."""
    brightness, kind = _brightened(window.brightness, changes), window.kind
    if changes.noise:
        brightness = _noisier(brightness, changes)
    if changes.masked_air:
        around = (places & AROUND) > 0
        brightness = np.where(around, np.uint8(0), brightness)
        kind = np.where(around, (kind % EMPTY_FIRST) | EMPTY, kind)
    # What is empty stays exactly so, whatever was done to brightness.
    brightness = np.where(kind >= EMPTY, np.uint8(0), brightness)
    if changes.blurred_mask:
        kind = kind % np.uint8(EMPTY_FIRST)
    if changes.unlabelled:
        kind = kind - kind % np.uint8(INSIDE)
    brightness, kind, places = _moved((brightness, kind, places), changes.moves)
    return Window(brightness, kind), places


def _brightened(brightness: UInt8, changes: Changes) -> UInt8:
    levels = np.arange(LEVELS + 1) / LEVELS
    table = np.clip(LEVELS * changes.factor * (2 * levels) ** changes.gamma / 2, 0, LEVELS)
    bright: UInt8 = np.rint(table).astype(np.uint8)[brightness]
    if changes.coarser is not None:
        behind = np.roll(bright, 1, changes.coarser)
        bright = ((bright.astype(np.uint16) + behind) // 2).astype(np.uint8)
    return bright


def _noisier(brightness: UInt8, changes: Changes) -> UInt8:
    rng = np.random.default_rng(changes.seed)
    noise = rng.standard_normal(brightness.shape, dtype=np.float32) * np.float32(LEVELS * changes.noise)
    noisy: UInt8 = np.clip(np.abs(brightness + noise), 0, LEVELS).astype(np.uint8)
    return noisy


def _moved(arrays: Sequence[UInt8], moves: Sequence[Move]) -> list[UInt8]:
    """All moved alike, to the nearest voxel; what comes in from outside is zero."""
    together = np.zeros(tuple(n + 1 for n in arrays[0].shape), np.uint32)
    inner = together[:-1, :-1, :-1]
    for number, array in enumerate(arrays):
        inner |= array.astype(np.uint32) << np.uint32(8 * number)
    for axis, move in enumerate(moves):
        together = together.take(move.sources(arrays[0].shape[axis]), axis=axis)
    return [(together >> np.uint32(8 * number)).astype(np.uint8) for number in range(len(arrays))]


def chances(bank: Bank) -> NDArray[np.float64]:
    """Of each example to be drawn, (N,): every label as often as the others."""
    labels = bank.truth[:, 0].astype(int)
    even = (1 / np.bincount(labels, minlength=labels.max() + 1).clip(1))[labels]
    chance: NDArray[np.float64] = even / even.sum()
    return chance


def batches(bank: Bank, seed: int, start: int = 0, size: int = BATCH) -> Iterator[tuple[Tensor, Known]]:
    """Endless (inputs (N, channels, *WINDOW_SHAPE), what is known), labels evenly; a resumed training passes on.

    Inputs of each batch are written over those of the fourth before it (`AT_ONCE`): new memory costs as much as all
    else here.
    """
    rng = np.random.default_rng([seed, start])
    chance = chances(bank)
    for inputs in cycle([np.empty((size, len(CHANNELS), *WINDOW_SHAPE), np.float32) for _ in range(AT_ONCE)]):
        chosen = rng.choice(len(bank), size, p=chance).tolist()
        places = np.stack([_show(bank, i, rng, into) for i, into in zip(chosen, inputs, strict=True)])
        known = (torch.from_numpy(array) for array in (bank.truth[chosen], bank.chances[chosen], places))
        yield torch.from_numpy(inputs), Known(*known)


def in_turn(bank: Bank, rng: np.random.Generator) -> Iterator[Tensor]:
    """Every example once, with changes: inputs (1, channels, *WINDOW_SHAPE), each written over the one before."""
    inputs = np.empty((1, len(CHANNELS), *WINDOW_SHAPE), np.float32)
    for number in range(len(bank)):
        _show(bank, number, rng, inputs[0])
        yield torch.from_numpy(inputs)


def _show(bank: Bank, number: int, rng: np.random.Generator, into: Float32) -> UInt8:
    """Write an example with changes into (channels, *WINDOW_SHAPE); its truth."""
    window, places = change(*bank.voxels(number), draw_changes(rng))
    window.channels(into)
    return places


def whole(bank: Bank, first: int, last: int) -> Tensor:
    """The network's inputs for examples `first` to `last`, as they are."""
    return torch.from_numpy(np.stack([bank.voxels(i)[0].channels() for i in range(first, min(last, len(bank)))]))
