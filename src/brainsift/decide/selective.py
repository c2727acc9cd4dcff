"""Thresholds that keep a promise: the loosest at which the error among decided scans is still bounded.

Thresholds lie on a grid that is fixed before any label is seen and are tested in a fixed order, from the strictest to
the loosest, each by the exact binomial bound; the first that fails ends the search. So the order itself keeps the
chance of passing a threshold that is worse than `alpha` at or below `delta`, however many are tested (fixed-sequence
testing; Angelopoulos 2021, arXiv 2110.01052).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, ndtri

from brainsift.decide.bounds import labels_needed, upper_bound

GRID: NDArray[np.float64] = 1 / (1 + np.exp(-np.linspace(12.0, 0.0, 121)))
"""Probabilities that a decision is right, from the strictest (six in a million wrong) to an even chance. Equal steps of
0.1 in log odds: as fine near 1, where networks put most scans, as in the middle."""

NEARLY_BEST = 0.99
"""The search starts at the strictest threshold whose chance of passing is this share of the best one's: what is looser
is reached from there anyway, what is stricter has too few people to pass."""

SCATTER: NDArray[np.float64] = ndtri(np.arange(1, 18, 2) / 18)
"""Standard normal deviates, nine equally likely ones."""

MIN_ELSEWHERE = 20
"""Scores of others from which the start is read off; the place of 59 among 100 is then known to about a tenth."""


@dataclass(frozen=True)
class Passed:
    """A threshold whose promise holds: how many people it decides, with how many errors, and the bound on the error."""

    threshold: float
    decided: int
    errors: int
    bound: float


def start_of_search(elsewhere: ArrayLike, people: int, alpha: float, delta: float) -> int:
    """Number of the threshold in `GRID` to begin with: strict, and yet with a good chance of passing.

    The chance is that of few enough errors among those who would be decided, if scores mean what they say. If they do
    not, a worse start is chosen and less is decided; the promise does not rest on it.

    Parameters
    ----------
    elsewhere : (m,) probabilities that a decision is right, of scans that are not used to test.
    people : how many are tested.
    """
    scores = np.asarray(elsewhere, float)
    decided = scores[:, None] >= GRID
    share = decided.mean(axis=0)
    predicted = ((1 - scores) @ decided) / np.maximum(decided.sum(axis=0), 1)
    # How many of `people` will be decided is known within the scatter of both samples: the chance is averaged over it.
    scatter = np.sqrt(people * share * (1 - share) * (1 + people / scores.size))
    n = np.clip(people * share + SCATTER[:, None] * scatter, 0, people).astype(int)
    allowed = np.searchsorted(_people_needed(people, alpha, delta), n, side="right") - 1
    passing = np.where(allowed >= 0, bdtr(np.maximum(allowed, 0), np.maximum(n, 1), predicted), 0.0)
    chance = passing.mean(axis=0)
    return int((chance >= NEARLY_BEST * chance.max()).argmax()) if chance.any() else len(GRID) - 1


def _people_needed(people: int, alpha: float, delta: float) -> NDArray[np.int_]:
    """How many people the promise needs with 0, 1, 2, ... errors, as far as there are so many."""
    needed = []
    for errors in range(people + 1):
        needed.append(labels_needed(alpha, delta, errors))
        if needed[-1] > people:
            break
    return np.asarray(needed)


def fixed_sequence(scores: ArrayLike, wrong: ArrayLike, alpha: float, delta: float, start: int = 0) -> Passed | None:
    """Loosest threshold up to which every one tested keeps the error at or below `alpha` with confidence 1 - `delta`.

    Parameters
    ----------
    scores : (n,) probability that deciding so is right, of independent scans (one of each person).
    wrong : (n,) whether deciding so would be an error.
    start : number in `GRID` to begin with; it must not depend on `wrong`.

    Returns
    -------
    None if the first threshold fails already.

    Raises
    ------
    ValueError
        if lengths differ or a score is NaN.
    """
    values, errors = np.asarray(scores, float), np.asarray(wrong, bool)
    if values.shape != errors.shape or not np.isfinite(values).all():
        raise ValueError(f"Scores and errors must be finite and of one length, got {values.shape} and {errors.shape}")
    passed = None
    for threshold in GRID[start:].tolist():
        decided = values >= threshold
        n, k = int(decided.sum()), int((decided & errors).sum())
        bound = upper_bound(k, n, delta)
        if bound > alpha:
            break
        passed = Passed(threshold, n, k, bound)
    return passed


def choose_threshold(
    scores: ArrayLike, wrong: ArrayLike, alpha: float, delta: float, elsewhere: ArrayLike | None = None
) -> Passed | None:
    """`fixed_sequence`, begun where enough people are expected to be decided.

    The start is read off the scores of other scans (`elsewhere`), so that it is independent of the test. With fewer
    than `MIN_ELSEWHERE` of those it is read off the tested scores, never off the labels; the promise then holds if the
    error rate does not rise with the score.
    """
    values = np.asarray(scores, float)
    others = np.asarray([] if elsewhere is None else elsewhere, float)
    basis = others if others.size >= MIN_ELSEWHERE else values
    if not values.size:
        return None
    start = start_of_search(basis, values.size, alpha, delta)
    return fixed_sequence(values, wrong, alpha, delta, start)
