"""Batches of cubes with their targets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from brainsift.learn.microbleeds.crops import change_contrast
from brainsift.learn.microbleeds.cubes import CubeBank, Float32
from brainsift.tasks.microbleeds.network import CUBE_VOXELS

CONTRAST = (0.85, 1.2)
"""Times which a cube differs from tissue; vesselness hardly changes with so little."""

MOVED_VOXELS = 1
"""By so many at the most along each axis, two thirds of a millimetre: peaks of the detector lie off the centre by as
much, in bleeds and in what is none."""


def cube_batches(bank: CubeBank, size: int, seed: int, start: int = 0) -> Iterator[tuple[Float32, Float32, Float32]]:
    """Endless (cubes (N, channels, 24, 24, 24), labels (N, 1), bleed voxels (N, 24³)).

    Half of the cubes are bleeds; they are mirrored, turned in plane, moved a little, and their contrast is changed.

    Raises
    ------
    ValueError
        if there are bleeds alone, or none.
    """
    rng = np.random.default_rng([seed, start])
    sides = [np.flatnonzero(bank.label), np.flatnonzero(~bank.label)]
    if not all(len(side) for side in sides):
        raise ValueError("cubes of bleeds and of other places are needed, one of them is missing")
    low, high = np.log(CONTRAST)
    while True:
        rows = np.concatenate([rng.choice(side, size // 2) for side in sides])
        seen = bank.input(rows)
        inside = bank.voxels[rows].astype(np.float32)
        for number in range(len(rows)):
            seen[number], inside[number] = _turned(rng, seen[number], inside[number])
        factor = np.exp(rng.uniform(low, high, (len(rows), 1, 1, 1))).astype(np.float32)
        change_contrast(seen[:, 0], seen[:, 1], factor)
        yield seen, bank.label[rows, None].astype(np.float32), inside.reshape(len(rows), -1)


def _turned(rng: np.random.Generator, seen: Float32, inside: Float32) -> tuple[Float32, Float32]:
    """A cube and its bleed voxels, moved, mirrored and turned alike."""
    order = (1, 0, 2) if rng.random() < 0.5 else (0, 1, 2)
    moved = rng.integers(-MOVED_VOXELS, MOVED_VOXELS + 1, 3)
    # What lies beyond the edge is like the edge.
    axes = [np.clip(np.arange(CUBE_VOXELS) + by, 0, CUBE_VOXELS - 1) for by in moved]
    at = np.ix_(*(axis[::-1] if rng.random() < 0.5 else axis for axis in axes))
    return seen[:, *at].transpose(0, *(1 + axis for axis in order)), inside[at].transpose(order)
