"""Batches from a bank: examples drawn by weight, a few of their slices, and harmless changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.learn.quality.bank import LEVELS, Bank
from brainsift.learn.quality.truth import balancing_weights

Float32 = NDArray[np.float32]
Pair = tuple[Tensor, Tensor]

BATCH = 12
SLICES_PER_AXIS = 2
"""Of the eight that a scan has, drawn anew each time: slices of one scan tell much the same, so that a step learns more
from twelve scans of six slices than from three of 24."""

MAX_SHIFT = 14
"""Pixels; the box around the brain is about as uncertain."""

BRIGHTNESS = 0.08
"""Standard deviation of the logarithm of a factor on all pixels."""

CURVE = 0.06
"""Standard deviation of the logarithm of an exponent: noise and contrast must not change their grade."""


CLIPPED, CEILING = 0.15, (0.6, 0.9)
"""Share of scans that are clipped, as converters to eight bits do, and where: from a quarter above the brain's bright
end, on the scale of the square root, to fat alone."""


@dataclass(frozen=True)
class Changes:
    """Drawn changes of one example: they leave the truth as it is."""

    slices: NDArray[np.int64]
    mirror: bool
    shift: tuple[int, int]
    factor: float
    exponent: float
    ceiling: float = 1.0


def draw_changes(rng: np.random.Generator, slices: int, per_axis: int = SLICES_PER_AXIS) -> Changes:
    """Draw changes for an example of `slices` slices, as many for each orientation.

    Every second one is of the brain alone, as in the scan.
    """
    k = slices // 3
    chosen = [axis * k + _draw_slices(rng, k, min(per_axis, k)) for axis in range(3)]
    down, right = (int(n) for n in rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, 2))
    return Changes(
        slices=np.concatenate(chosen),
        mirror=bool(rng.random() < 0.5),
        shift=(down, right),
        factor=float(np.exp(BRIGHTNESS * rng.standard_normal())),
        exponent=float(np.exp(CURVE * rng.standard_normal())),
        ceiling=float(rng.uniform(*CEILING)) if rng.random() < CLIPPED else 1.0,
    )


def _draw_slices(rng: np.random.Generator, slices: int, count: int) -> NDArray[np.int64]:
    wide, near = np.arange(0, slices, 2), np.arange(1, slices, 2)
    drawn = np.empty(count, np.int64)
    drawn[0::2] = np.sort(rng.choice(wide, count - count // 2, replace=False))
    drawn[1::2] = np.sort(rng.choice(near, count // 2, replace=False))
    return drawn


def change(pixels: NDArray[np.uint8], changes: Changes) -> Float32:
    """Apply changes to the slices (S, H, W) of an example; float32 (chosen, H, W) in [0, 1]."""
    image: Float32 = pixels[changes.slices].astype(np.float32)
    image /= LEVELS
    np.power(image, np.float32(changes.exponent), out=image)
    image *= np.float32(changes.factor)
    np.minimum(image, np.float32(changes.ceiling), out=image)
    if changes.mirror:
        third = len(image) // 3
        image[third:] = image[third:, :, ::-1]  # columns of coronal and axial slices run from left to right
    return _shifted(image, *changes.shift)


def _shifted(image: Float32, down: int, right: int) -> Float32:
    result = np.zeros_like(image)
    h, w = image.shape[1:]
    result[:, max(0, down) : h + min(0, down), max(0, right) : w + min(0, right)] = image[
        :, max(0, -down) : h + min(0, -down), max(0, -right) : w + min(0, -right)
    ]
    return result


def batches(bank: Bank, seed: int, start: int = 0, size: int = BATCH) -> Iterator[Pair]:
    """Endless (images (N, 6, 224, 192), truth (N, 6)); a resumed training passes the steps already made."""
    rng = np.random.default_rng([seed, start])
    weights = balancing_weights(bank.truth)
    probability = weights / weights.sum()
    while True:
        chosen = rng.choice(len(bank), size, p=probability)
        images = []
        for index in chosen:
            pixels = bank.pixels(int(index))
            images.append(change(pixels, draw_changes(rng, len(pixels))))
        yield torch.from_numpy(np.stack(images)), torch.from_numpy(bank.truth[chosen])


def whole(bank: Bank, indices: NDArray[np.int64] | list[int]) -> Tensor:
    """All slices of some examples as they are, float32 (N, 24, 224, 192)."""
    return torch.from_numpy(np.stack([bank.pixels(int(i)) for i in indices]).astype(np.float32) / LEVELS)
