"""Histograms as shapes for an inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainsift.report.words import number

WIDTH, HEIGHT = 260.0, 92.0
"""Drawing area in SVG units, axis labels below it not counted."""

BINS = 26
GAP = 1.0


@dataclass(frozen=True)
class Bar:
    """One bin: left edge, top, width and height in SVG units, and what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Histogram:
    """A distribution: bars, ticks (position, text), and the median (position, text)."""

    title: str
    unit: str
    n: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    median: tuple[float, str]


def histogram(title: str, unit: str, values: Sequence[float]) -> Histogram | None:
    """Draw a histogram of finite values; None where there is none.

    The range is that of the data, widened to round numbers, so that no outlier is hidden.
    """
    data = np.asarray(values, dtype=np.float64)
    data = data[np.isfinite(data)]
    if not data.size:
        return None
    low, high = _round_range(float(data.min()), float(data.max()))
    counts, edges = np.histogram(data, bins=BINS, range=(low, high))
    tallest = int(counts.max())
    step = WIDTH / BINS
    bars = []
    for index in np.flatnonzero(counts):
        # One scan among 10^5 still gets a visible sliver.
        height = max(1.5, HEIGHT * counts[index] / tallest)
        title_text = f"{number(float(edges[index]))} to {number(float(edges[index + 1]))} {unit}: {counts[index]:,}"
        bars.append(Bar(round(index * step, 2), round(HEIGHT - height, 2), step - GAP, round(height, 2), title_text))
    middle = float(np.median(data))
    ticks = tuple((round(WIDTH * share, 1), number(low + share * (high - low))) for share in (0.0, 0.5, 1.0))
    place = round(WIDTH * (middle - low) / (high - low), 1)
    return Histogram(title, unit, int(data.size), tuple(bars), ticks, (place, number(middle)))


def _round_range(low: float, high: float) -> tuple[float, float]:
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = 10.0 ** np.floor(np.log10(high - low)) / 2
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step)
