"""Confidence intervals by resampling whole people."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
"""Percentiles at 2.5 % then rest on 50 resamples on either side."""

MIN_DEFINED = 0.5
"""Share of the resamples in which a statistic must be defined for its percentiles to mean anything."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval and the number of values and of groups (people) behind it.

    `method` says how the interval was made; the bounds are NaN where none can be given.
    """

    value: float
    low: float
    high: float
    n: int
    groups: int
    method: str = "bootstrap"

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def people_of(groups: Sequence[object] | None, n: int) -> NDArray[np.intp]:
    """Number of the person that each of `n` values belongs to, from 0 on; without groups each is its own person.

    Raises
    ------
    ValueError
        if there are not `n` groups.
    """
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise ValueError(f"Each value needs its person: got {n} values and {len(groups)} people")
    return np.unique([str(group) for group in groups], return_inverse=True)[1]


def percentile_interval(
    value: float, draws: ArrayLike, n: int, groups: int, level: float = 0.95, method: str = "bootstrap"
) -> Interval:
    """Interval between the outer percentiles of resampled statistics.

    Resamples in which the statistic is undefined (NaN: a class drew nobody) are left out; where half of them are, or
    where all agree, so that nothing was learnt of the spread, the bounds are NaN.
    """
    resampled = np.asarray(draws, float)
    defined = resampled[np.isfinite(resampled)]
    nan = float("nan")
    if not math.isfinite(value) or defined.size <= MIN_DEFINED * resampled.size or np.ptp(defined) == 0:
        return Interval(value, nan, nan, n, groups, "none")
    low, high = np.percentile(defined, [50 * (1 - level), 50 * (1 + level)])
    return Interval(value, float(low), float(high), n, groups, method)


def bootstrap(
    values: ArrayLike,
    groups: Sequence[object] | None = None,
    statistic: Callable[[NDArray[np.float64]], float] = lambda v: float(v.mean()),
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap; whole groups (people) are drawn where `groups` says whose each value is (Efron 1993).

    NaN values are left out. With fewer than two groups the interval is NaN: one person has no spread.
    """
    all_values = np.asarray(values, float)
    owners = people_of(groups, all_values.size)
    keep = np.isfinite(all_values)
    kept, owners = all_values[keep], owners[keep]
    members = [kept[owners == g] for g in np.unique(owners)]
    if len(members) < 2:
        value = statistic(kept) if kept.size else float("nan")
        return Interval(value, float("nan"), float("nan"), int(kept.size), len(members))
    rng = np.random.default_rng(seed)
    draws = [
        statistic(np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(draws, [50 * (1 - level), 50 * (1 + level)])
    return Interval(statistic(kept), float(low), float(high), int(kept.size), len(members))


def bootstrap_rows(
    statistic: Callable[[NDArray[np.intp]], float],
    n: int,
    groups: Sequence[object] | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap of a statistic of several columns at once: it is given the rows that were drawn.

    Parameters
    ----------
    statistic : row numbers, whole people and possibly repeated → value, NaN where it is undefined.
    n : how many rows there are.
    groups : whose each row is.
    """
    owners = people_of(groups, n)
    order = np.argsort(owners, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(owners[order])) + 1) if n else []
    value = statistic(np.arange(n)) if n else float("nan")
    if len(members) < 2:
        return Interval(value, float("nan"), float("nan"), n, len(members), "none")
    rng = np.random.default_rng(seed)
    alone = len(members) == n

    def draw() -> NDArray[np.intp]:
        chosen = rng.integers(len(members), size=len(members))
        return chosen if alone else np.concatenate([members[i] for i in chosen])

    return percentile_interval(value, [statistic(draw()) for _ in range(RESAMPLES)], n, len(members), level)
