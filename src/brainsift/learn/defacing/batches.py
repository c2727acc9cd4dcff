"""Batches from a bank: examples drawn by label, with changes that leave the truth as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.learn.defacing.bank import Bank
from brainsift.learn.defacing.places import AROUND, Known
from brainsift.tasks.defacing.network import EMPTY_FIRST, INSIDE, LEVELS, Window

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

BATCH = 4

MAX_SHIFT = 2
"""Voxels of 2 mm: the fit to MNI152 errs by about as much."""

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

EMPTY = np.uint8(EMPTY_FIRST * (256 // EMPTY_FIRST - 1))
"""Bits of a voxel that is empty altogether."""


@dataclass(frozen=True)
class Changes:
    """Drawn changes of one example."""

    mirror: bool = False
    shift: tuple[int, int, int] = (0, 0, 0)
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
    x, y, z = (int(n) for n in rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, 3))
    return Changes(
        mirror=bool(rng.random() < 0.5),
        shift=(x, y, z),
        masked_air=bool(rng.random() < MASKED_AIR_SHARE),
        blurred_mask=bool(rng.random() < BLURRED_MASK_SHARE),
        unlabelled=bool(rng.random() < UNLABELLED_SHARE),
        coarser=int(rng.integers(3)) if rng.random() < COARSER_SHARE else None,
        factor=float(np.exp(LOG_FACTOR_SD * rng.standard_normal())),
        gamma=float(np.exp(LOG_GAMMA_SD * rng.standard_normal())),
        noise=float(rng.uniform(0, NOISE)) if rng.random() < NOISE_SHARE else 0.0,
        seed=int(rng.integers(2**31)),
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
    arrays = [_moved(array, changes) for array in (brightness, kind, places)]
    return Window(arrays[0], arrays[1]), arrays[2]


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


def _moved(array: UInt8, changes: Changes) -> UInt8:
    """Mirrored and shifted; what comes in from outside is zero."""
    turned = array[::-1] if changes.mirror else array
    moved = np.zeros_like(turned)
    to = tuple(slice(max(0, s), n + min(0, s)) for s, n in zip(changes.shift, array.shape, strict=True))
    source = tuple(slice(max(0, -s), n + min(0, -s)) for s, n in zip(changes.shift, array.shape, strict=True))
    moved[to] = turned[source]
    return moved


def chances(bank: Bank) -> NDArray[np.float64]:
    """Of each example to be drawn, (N,): every label as often as the others."""
    labels = bank.truth[:, 0].astype(int)
    even = (1 / np.bincount(labels, minlength=labels.max() + 1).clip(1))[labels]
    chance: NDArray[np.float64] = even / even.sum()
    return chance


def batches(bank: Bank, seed: int, start: int = 0, size: int = BATCH) -> Iterator[tuple[Tensor, Known]]:
    """Endless (inputs (N, channels, *WINDOW_SHAPE), what is known), labels evenly; a resumed training passes on."""
    rng = np.random.default_rng([seed, start])
    chance = chances(bank)
    while True:
        chosen = rng.choice(len(bank), size, p=chance).tolist()
        shown = [change(*bank.voxels(i), draw_changes(rng)) for i in chosen]
        inputs = torch.from_numpy(np.stack([window.channels() for window, _ in shown]))
        places = torch.from_numpy(np.stack([places for _, places in shown]))
        yield inputs, Known(torch.from_numpy(bank.truth[chosen]), torch.from_numpy(bank.chances[chosen]), places)


def whole(bank: Bank, first: int, last: int) -> Tensor:
    """The network's inputs for examples `first` to `last`, as they are."""
    return torch.from_numpy(np.stack([bank.voxels(i)[0].channels() for i in range(first, min(last, len(bank)))]))
