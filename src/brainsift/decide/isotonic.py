"""Isotonic regression: the rising step function nearest to the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


def isotonic_fit(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> tuple[Values, Values]:
    """Non-decreasing least-squares fit by pooling adjacent violators (Ayer 1955, Ann Math Stat 26:641).

    Equal `x` are averaged first. Between the returned points the fit is read off linearly, and held constant outside.

    Parameters
    ----------
    x, y : (n,) finite.
    weights : (n,) positive; all 1 if not given.

    Returns
    -------
    x and fitted y at the ends of each level, both non-decreasing.

    Raises
    ------
    ValueError
        if lengths differ or there is no value.
    """
    places, values = np.asarray(x, float), np.asarray(y, float)
    mass = np.ones_like(values) if weights is None else np.asarray(weights, float)
    if not places.shape == values.shape == mass.shape or places.ndim != 1 or not places.size:
        raise ValueError(f"x, y and weights must be one non-empty length, got {places.shape}, {values.shape}")
    unique, owner = np.unique(places, return_inverse=True)
    pooled_mass = np.bincount(owner, mass).astype(float)
    levels = _pool(np.bincount(owner, mass * values) / pooled_mass, pooled_mass)
    ends = np.ones(unique.size, bool)
    ends[1:-1] = (levels[1:-1] != levels[:-2]) | (levels[1:-1] != levels[2:])
    return unique[ends], levels[ends]


def _pool(means: Values, mass: Values) -> Values:
    """Merge each block with the one before it while it is lower; (n,) level of each value."""
    blocks: list[tuple[float, float, int]] = []
    for mean, weight in zip(means.tolist(), mass.tolist(), strict=True):
        level, total, count = mean, weight, 1
        while blocks and blocks[-1][0] >= level:
            before, before_total, before_count = blocks.pop()
            level = (before * before_total + level * total) / (before_total + total)
            total, count = total + before_total, count + before_count
        blocks.append((level, total, count))
    return np.repeat([level for level, _, _ in blocks], [count for _, _, count in blocks])
