"""People with several scans: their scans err together, so they may not count as if they were many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def one_each(people: Sequence[str], seed: int) -> NDArray[np.intp]:
    """Rows of one scan of each person, drawn by chance, in order.

    What is promised of them holds for a scan drawn at random from a person drawn at random.
    """
    order = np.random.default_rng(seed).permutation(len(people))
    owners = np.array([people[row] for row in order], dtype=str)
    _, first = np.unique(owners, return_index=True)
    return np.sort(order[first])


def split_people(people: Sequence[str], share: float, seed: int) -> NDArray[np.bool_]:
    """(n,) whether each row belongs to the first side, which gets a `share` of the people."""
    names, owners = np.unique(np.array(people, dtype=str), return_inverse=True)
    chosen = np.zeros(len(names), bool)
    chosen[np.random.default_rng(seed).permutation(len(names))[: round(share * len(names))]] = True
    side: NDArray[np.bool_] = chosen[owners]
    return side


def weights_of(people: Sequence[str]) -> NDArray[np.float64]:
    """(n,) weights with which each person counts once, however many scans there are."""
    _, owners, counts = np.unique(np.array(people, dtype=str), return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = 1.0 / counts[owners]
    return weights
