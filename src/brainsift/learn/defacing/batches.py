"""Batches from a bank: examples drawn by label, with changes that leave the truth as it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.learn.defacing.bank import LEVELS, Bank
from brainsift.learn.defacing.net import MIRRORED
from brainsift.tasks.defacing.network import COLUMNS, KNOWN_ROW, LAYERS, PLANES, ROWS, VALUE_ROW, VIEWS

Float32 = NDArray[np.float32]
Pair = tuple[Tensor, Tensor]

BATCH = 16

MAX_SHIFT = 3
MAX_STRETCH, MAX_TURN = 0.06, math.radians(4)
"""Pixels of 2 mm, share, and angle: the fit to MNI152 errs by about as much."""

BLIND_SHARE = 0.05
"""Of views are blanked: a field of view may end before an ear."""

FORGOTTEN_SHARE = 0.15
"""Of signals are taken away, so that no single one is relied on."""

BRIGHTNESS = 0.15
"""Standard deviation of the logarithm of a factor on the brightness of the skin."""


@dataclass(frozen=True)
class Changes:
    """Drawn changes of one example."""

    mirror: bool
    shift: tuple[int, int]
    stretch: tuple[float, float]
    turn: float
    blind: tuple[bool, ...]
    forgotten: NDArray[np.bool_]
    factor: float


def draw_changes(rng: np.random.Generator, signals: int) -> Changes:
    """Draw changes for an example of so many signals."""
    down, right = (int(n) for n in rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, 2))
    high, wide = (float(n) for n in 1 + MAX_STRETCH * rng.uniform(-1, 1, 2))
    return Changes(
        mirror=bool(rng.random() < 0.5),
        shift=(down, right),
        stretch=(high, wide),
        turn=float(MAX_TURN * rng.uniform(-1, 1)),
        blind=tuple(bool(b) for b in rng.random(len(VIEWS)) < BLIND_SHARE),
        forgotten=rng.random(signals) < FORGOTTEN_SHARE,
        factor=float(np.exp(BRIGHTNESS * rng.standard_normal())),
    )


def change(planes: NDArray[np.uint8], signals: Float32, changes: Changes) -> Float32:
    """The network's input for one example, changed; float32 (PLANES, ROWS, COLUMNS)."""
    views = unpacked(planes)
    if changes.mirror:
        views = views[list(MIRRORED)][..., ::-1]
    views = _moved(views, changes)
    brightness = LAYERS.index("brightness")
    views[:, brightness] = np.minimum(views[:, brightness] * np.float32(changes.factor), 1)
    views[list(changes.blind)] = 0
    return compose(views, np.where(changes.forgotten, np.float32(0), signals))


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


def _moved(views: Float32, changes: Changes) -> Float32:
    """Views shifted, stretched and turned about their middle, all by the same; nothing is interpolated."""
    h, w = views.shape[2:]
    rows, columns = np.mgrid[:h, :w].astype(np.float32)
    y = (rows - h / 2 - changes.shift[0]) / changes.stretch[0]
    x = (columns - w / 2 - changes.shift[1]) / changes.stretch[1]
    cosine, sine = math.cos(changes.turn), math.sin(changes.turn)
    row = np.rint(cosine * y + sine * x + h / 2).astype(int)
    column = np.rint(cosine * x - sine * y + w / 2).astype(int)
    inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
    taken = views[:, :, row.clip(0, h - 1), column.clip(0, w - 1)]
    return np.where(inside, taken, np.float32(0))


def batches(bank: Bank, seed: int, start: int = 0, size: int = BATCH) -> Iterator[Pair]:
    """Endless (inputs (N, PLANES, ROWS, COLUMNS), truth (N, 7) and `class_targets`), labels evenly; a resumed training
    passes on."""
    rng = np.random.default_rng([seed, start])
    truth = np.concatenate([bank.truth, bank.targets()], axis=1)
    labels = bank.truth[:, 0].astype(int)
    probability = (1 / np.bincount(labels, minlength=labels.max() + 1).clip(1))[labels]
    probability = probability / probability.sum()
    while True:
        chosen = rng.choice(len(bank), size, p=probability)
        inputs = [
            change(bank.planes[i], bank.signals[i], draw_changes(rng, bank.signals.shape[2])) for i in chosen.tolist()
        ]
        yield torch.from_numpy(np.stack(inputs)), torch.from_numpy(truth[chosen])


def whole(bank: Bank, first: int, last: int) -> Tensor:
    """The network's inputs for examples `first` to `last`, as they are."""
    part = zip(bank.planes[first:last], bank.signals[first:last], strict=True)
    return torch.from_numpy(np.stack([compose(unpacked(planes), signals) for planes, signals in part]))
