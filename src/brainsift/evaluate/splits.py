"""Splits that keep each person on one side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.intervals import people_of


def grouped_folds(groups: Sequence[object], folds: int, seed: int = 0) -> NDArray[np.intp]:
    """(n,) number of the fold that each row belongs to; a person's rows share one, and folds hold equally many rows.

    People are taken in random order, those with most rows first, each to the fold that is emptiest.

    Raises
    ------
    ValueError
        if there are fewer people than folds, or fewer than two folds.
    """
    owners = people_of(groups, len(groups))
    sizes = np.bincount(owners) if len(owners) else np.zeros(0, np.intp)
    if not 2 <= folds <= len(sizes):
        raise ValueError(f"Folds must number from 2 to the {len(sizes)} people, got {folds}")
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(folds, np.intp)
    fold_of = np.empty(len(sizes), np.intp)
    for person in order:
        fold_of[person] = filled.argmin()
        filled[fold_of[person]] += sizes[person]
    return fold_of[owners]


def grouped_split(groups: Sequence[object], share: float, seed: int = 0) -> NDArray[np.bool_]:
    """(n,) whether each row goes to the smaller side, which gets about a `share` of the people.

    Raises
    ------
    ValueError
        if the share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"The share must lie between 0 and 1, got {share}")
    owners = people_of(groups, len(groups))
    people = int(owners.max(initial=-1)) + 1
    chosen = np.zeros(people, bool)
    chosen[np.random.default_rng(seed).permutation(people)[: round(share * people)]] = True
    return chosen[owners]
