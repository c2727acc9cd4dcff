"""Some of many examples, evenly spread: for the points of a curve, where looking at all of them takes too long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def evenly(rows: Sequence[int], count: int) -> list[int]:
    """`count` of the rows, or all where there are no more."""
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))) if len(rows) else np.zeros(0)
    return [int(rows[i]) for i in np.unique(places.astype(int)).tolist()]


def mostly(rows: Sequence[int], others: Sequence[int], count: int, few: int) -> list[int]:
    """`count` rows in order, `few` of them from the `others`; more where there are not as many of the first."""
    chosen = evenly(rows, count - min(len(others), few))
    return sorted(chosen + evenly(others, count - len(chosen)))
