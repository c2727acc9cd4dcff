"""Exact intervals for proportions."""

from __future__ import annotations

from scipy.special import betaincinv

from brainsift.evaluate.intervals import Interval


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Exact interval of a proportion (Clopper and Pearson 1934, Biometrika 26:404).

    Each of the `n` must be another person. Of nobody (`n` 0) the value is NaN and the interval [0, 1]: all is possible.

    Raises
    ------
    ValueError
        if not 0 <= successes <= n, or the level is no share.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"There must be 0 to n = {n} successes, got {successes}")
    if not 0 < level < 1:
        raise ValueError(f"The level must lie between 0 and 1, got {level}")
    tail = (1 - level) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return Interval(successes / n if n else float("nan"), low, high, n, n, "exact")
