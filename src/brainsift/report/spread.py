"""Where values lie: quantiles, the place of one value among many, and a strip that shows both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 200.0
"""Of a strip, in SVG units."""

MARGIN = 4.0
"""Left free at both ends, so that a mark at the end is whole."""

QUANTILES = (1, 5, 25, 50, 75, 95, 99)


@dataclass(frozen=True)
class Spread:
    """Quantiles of `n` values; `low` and `high` (1 and 99 %) are the ends of a strip."""

    n: int
    low: float
    p05: float
    p25: float
    median: float
    p75: float
    p95: float
    high: float


def spread(values: Sequence[float] | NDArray[np.float64]) -> Spread | None:
    """Quantiles of the finite values; None where there is none."""
    data = np.asarray(values, dtype=np.float64)
    data = data[np.isfinite(data)]
    if not data.size:
        return None
    return Spread(int(data.size), *(float(q) for q in np.percentile(data, QUANTILES)))


def percentile(values: NDArray[np.float64], value: float) -> float:
    """Share of `values` (sorted) below `value`, per cent; equal ones count by half."""
    below, upto = np.searchsorted(values, value, "left"), np.searchsorted(values, value, "right")
    return float(50.0 * (below + upto) / len(values))


@dataclass(frozen=True)
class Strip:
    """A box plot on its side, in SVG units: whiskers at 5 and 95 %, box at 25 and 75 %, median, and perhaps a mark."""

    whiskers: tuple[float, float]
    box: tuple[float, float]
    median: float
    mark: float | None = None


def strip(found: Spread, low: float, high: float, value: float | None = None) -> Strip:
    """Draw `found` between `low` and `high`; what lies beyond stands at the end."""

    def place(x: float) -> float:
        share = 0.5 if high <= low else min(1.0, max(0.0, (x - low) / (high - low)))
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)

    left, right = place(found.p25), place(found.p75)
    return Strip(
        (place(found.p05), place(found.p95)),
        (left, round(max(1.0, right - left), 1)),
        place(found.median),
        None if value is None else place(value),
    )
