"""How long the rest of a run will take on this machine, from the scans that it has done.

The seconds of a scan are a straight line in the size of its file, where the scans done so far show one, and their mean
otherwise. What is left is predicted at its own mean size and divided by the number of scans worked on at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from brainsift.stage_clock import whole_stages

MIN_MEASURED = 6
"""Scans before anything is said: with fewer the interval is wider than what it stands for."""

MIN_FOR_SLOPE = 10
"""Scans before their size is looked at: a line through fewer points leans wherever two of them lie."""

SLOPE_SIGNIFICANT = 2.0
"""Standard errors from zero, below which the size is not believed to matter."""

NORMAL_975 = 1.959964
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True)
class Load:
    """Scans and the megabytes (10^6 bytes) of their files."""

    scans: int = 0
    megabytes: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """What is to be expected.

    Attributes
    ----------
    scans : still to be done.
    seconds, low, high : until they are, with an interval of 95 % if the rest is like what was seen.
    seconds_per_scan : of one process.
    measured : scans that this rests on.
    slowest, slowest_share : the stage that takes most of a scan, and its share [0, 1] of all stages.
    slowest_part : the part of that stage that takes most of it, empty where it has none.
    """

    scans: int
    seconds: float
    low: float
    high: float
    seconds_per_scan: float
    measured: int
    slowest: str = ""
    slowest_share: float = 0.0
    slowest_part: str = ""


@dataclass
class Pace:
    """Learns from finished scans. `workers` is how many may be worked on at once.

    The first scan of each worker opens networks and imports libraries: it tells nothing about the others and is counted
    only while there are no others.
    """

    workers: int = 1
    _warming: int = 0
    _since: float | None = None
    _now: float = 0.0
    _busy: float = 0.0
    _points: list[tuple[float, float]] = field(default_factory=list)
    _stages: dict[str, float] = field(default_factory=dict)

    def add(self, megabytes: float, seconds: float, stages: Mapping[str, float], now: float | None = None) -> None:
        """Take a scan that was finished `now` (seconds of a clock that only moves on)."""
        self._now = monotonic() if now is None else now
        if self._since is None:
            self._since = self._now - seconds
        self._busy += seconds
        for name, spent in stages.items():
            self._stages[name] = self._stages.get(name, 0.0) + spent
        if self._warming < self.workers:
            self._warming += 1
        else:
            self._points.append((megabytes, seconds))

    def forecast(self, left: Load) -> Forecast | None:
        """How long `left` will take; None while too little is known."""
        if len(self._points) < MIN_MEASURED:
            return None
        line = fit_line(self._points)
        mean, error = line.total(left)
        mean = max(0.0, mean)
        at_once = self.at_once()
        slowest, share, part = self.slowest()
        return Forecast(
            scans=left.scans,
            seconds=mean / at_once,
            low=max(0.0, mean - error) / at_once,
            high=(mean + error) / at_once,
            seconds_per_scan=line.mean_y,
            measured=len(self._points),
            slowest=slowest,
            slowest_share=share,
            slowest_part=part,
        )

    def at_once(self) -> float:
        """Scans that were worked on at the same time, on average; at most the number of workers."""
        passed = self._now - (self._since or 0.0)
        if passed <= 0:
            return float(self.workers)
        # Whenever one worker has finished, the others are half way through theirs.
        under_way = (self.workers - 1) * 0.5 * self._busy / (len(self._points) + self._warming)
        return min(float(self.workers), max(0.01, (self._busy + under_way) / passed))

    def slowest(self) -> tuple[str, float, str]:
        """The stage that takes most, its share of all, and the part of it that takes most."""
        whole = whole_stages(self._stages)
        if not whole or not sum(whole.values()):
            return "", 0.0, ""
        name = max(whole, key=lambda one: whole[one])
        parts = {one: spent for one, spent in self._stages.items() if one.startswith(f"{name}.")}
        part = max(parts, key=lambda one: parts[one]).removeprefix(f"{name}.") if parts else ""
        return name, whole[name] / sum(whole.values()), part

    @property
    def stage_seconds(self) -> dict[str, float]:
        """Seconds by stage of all scans so far, parts among them."""
        return dict(self._stages)


@dataclass(frozen=True)
class Line:
    """Least squares through (megabytes, seconds) of `n` scans; `slope` is 0 where the size seems not to matter."""

    n: int
    mean_x: float
    mean_y: float
    slope: float
    spread_x: float
    variance: float
    freedom: int

    def total(self, left: Load) -> tuple[float, float]:
        """Seconds that scans take together, and half the width of the 95 % interval (Draper & Smith 1998, *Applied
        Regression Analysis*, ch. 3: the mean of further observations)."""
        if left.scans <= 0:
            return 0.0, 0.0
        away = left.megabytes / left.scans - self.mean_x
        each = self.mean_y + self.slope * away
        leverage = away**2 / self.spread_x if self.slope else 0.0
        error = math.sqrt(self.variance * (1 / left.scans + 1 / self.n + leverage))
        return left.scans * each, left.scans * error * t_975(self.freedom)


def fit_line(points: list[tuple[float, float]]) -> Line:
    """The line through (x, y) points, or their mean where a slope is not significant or negative.

    Raises
    ------
    ValueError
        with fewer than two points.
    """
    n = len(points)
    if n < 2:
        raise ValueError(f"A pace needs two scans at least, got {n}")
    mean_x, mean_y = (sum(point[axis] for point in points) / n for axis in (0, 1))
    spread_x = sum((x - mean_x) ** 2 for x, _ in points)
    around_mean = sum((y - mean_y) ** 2 for _, y in points)
    flat = Line(n, mean_x, mean_y, 0.0, spread_x, around_mean / (n - 1), n - 1)
    if n < MIN_FOR_SLOPE or spread_x <= 0:
        return flat
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread_x
    variance = max(0.0, around_mean - slope**2 * spread_x) / (n - 2)
    if slope < SLOPE_SIGNIFICANT * math.sqrt(variance / spread_x) or slope <= 0:
        return flat
    return Line(n, mean_x, mean_y, slope, spread_x, variance, n - 2)


def t_975(freedom: int) -> float:
    """The 97.5 % point of Student's t, to 2 % from three degrees of freedom on (Abramowitz & Stegun 1964, 26.7.5)."""
    z, v = NORMAL_975, float(freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3
