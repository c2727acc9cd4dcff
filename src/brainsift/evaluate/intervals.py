"""Confidence intervals by resampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
"""Percentiles at 2.5 % then rest on 50 resamples on either side."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval and the number of values and of groups (people) behind it."""

    value: float
    low: float
    high: float
    n: int
    groups: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


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
    owners = (
        np.arange(all_values.size) if groups is None else np.unique([str(g) for g in groups], return_inverse=True)[1]
    )
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
