"""Batches from a bank: examples drawn by label, with changes that leave the truth as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.learn.defacing.bank import LEVELS, Bank
from brainsift.tasks.defacing.network import (
    BLANK_SIGNALS,
    COLUMNS,
    KNOWN_ROW,
    LAYERS,
    PLANES,
    ROWS,
    SIGNAL_NAMES,
    VALUE_ROW,
    VIEWS,
)

Float32 = NDArray[np.float32]
Pair = tuple[Tensor, Tensor]

BATCH = 16

MIRRORED = (0, 2, 1, 4, 3)
"""Place of each view in a mirrored head: left and right change places."""

MAX_SHIFT = 3
"""Pixels of 2 mm: the fit to MNI152 errs by about as much."""

BLIND_SHARE = 0.05
"""Of views are blanked: a field of view may end before an ear."""

FORGOTTEN_SHARE = 0.15
"""Of signals are taken away, so that no single one is relied on."""

MASKED_AIR_SHARE = 0.5
"""Of examples are shown as with masked air (`without_masked_air`): label maps have none, many scanners mask it."""

BRIGHTNESS = 0.15
"""Standard deviation of the logarithm of a factor on the brightness of the skin."""


@dataclass(frozen=True)
class Changes:
    """Drawn changes of one example."""

    mirror: bool
    shift: tuple[int, int]
    blind: tuple[bool, ...]
    masked_air: bool
    forgotten: NDArray[np.bool_]
    factor: float


def draw_changes(rng: np.random.Generator, signals: int) -> Changes:
    """Draw changes for an example of so many signals."""
    down, right = (int(n) for n in rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, 2))
    return Changes(
        mirror=bool(rng.random() < 0.5),
        shift=(down, right),
        blind=tuple(bool(b) for b in rng.random(len(VIEWS)) < BLIND_SHARE),
        masked_air=bool(rng.random() < MASKED_AIR_SHARE),
        forgotten=rng.random(signals) < FORGOTTEN_SHARE,
        factor=float(np.exp(BRIGHTNESS * rng.standard_normal())),
    )


def change(planes: NDArray[np.uint8], signals: Float32, changes: Changes) -> Float32:
    """The network's input for one example, changed; float32 (PLANES, ROWS, COLUMNS)."""
    views = unpacked(planes)
    if changes.mirror:
        views = views[list(MIRRORED)][..., ::-1]
    views = _shifted(views, *changes.shift)
    brightness = LAYERS.index("brightness")
    views[:, brightness] = np.minimum(views[:, brightness] * np.float32(changes.factor), 1)
    views[list(changes.blind)] = 0
    forgotten = changes.forgotten
    if changes.masked_air:
        views[:, LAYERS.index("blanked")] = 0
        forgotten = forgotten | np.isin(SIGNAL_NAMES, BLANK_SIGNALS)[: forgotten.size]
    return compose(views, np.where(forgotten, np.float32(0), signals))


def unpacked(planes: NDArray[np.uint8]) -> Float32:
    """The views of a bank's example, float32 (views, layers, ROWS, COLUMNS) in [0, 1]."""
    views: Float32 = planes.astype(np.float32).reshape(len(VIEWS), len(LAYERS), ROWS, COLUMNS)
    views /= LEVELS
    return views


def compose(views: Float32, signals: Float32) -> Float32:
    """Views (views, layers, ROWS, COLUMNS) and signals (2, signals) as the network's input."""
    result = np.zeros((PLANES, ROWS, COLUMNS), np.float32)
    result[:-1] = views.reshape(PLANES - 1, ROWS, COLUMNS)
    result[-1, VALUE_ROW, : signals.shape[1]] = signals[0]
    result[-1, KNOWN_ROW, : signals.shape[1]] = signals[1]
    return result


def _shifted(views: Float32, down: int, right: int) -> Float32:
    result = np.zeros_like(views)
    h, w = views.shape[2:]
    result[..., max(0, down) : h + min(0, down), max(0, right) : w + min(0, right)] = views[
        ..., max(0, -down) : h + min(0, -down), max(0, -right) : w + min(0, -right)
    ]
    return result


def batches(bank: Bank, seed: int, start: int = 0, size: int = BATCH) -> Iterator[Pair]:
    """Endless (inputs (N, PLANES, ROWS, COLUMNS), truth (N, 7)), labels evenly; a resumed training passes on."""
    rng = np.random.default_rng([seed, start])
    labels = bank.truth[:, 0].astype(int)
    probability = (1 / np.bincount(labels, minlength=labels.max() + 1).clip(1))[labels]
    probability = probability / probability.sum()
    while True:
        chosen = rng.choice(len(bank), size, p=probability)
        inputs = [
            change(bank.planes[i], bank.signals[i], draw_changes(rng, bank.signals.shape[2])) for i in chosen.tolist()
        ]
        yield torch.from_numpy(np.stack(inputs)), torch.from_numpy(bank.truth[chosen])


def whole(bank: Bank, first: int, last: int) -> Tensor:
    """The network's inputs for examples `first` to `last`, as they are."""
    part = zip(bank.planes[first:last], bank.signals[first:last], strict=True)
    return torch.from_numpy(np.stack([compose(unpacked(planes), signals) for planes, signals in part]))
