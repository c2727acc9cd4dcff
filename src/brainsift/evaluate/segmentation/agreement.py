"""How volumes of a program agree with those of a reference over many scans."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from brainsift.evaluate.intervals import Interval, bootstrap_rows, people_of

Float64 = NDArray[np.float64]

NAN = float("nan")
TWO_SD = 1.959964
"""95 % of a normal distribution lie within so many standard deviations."""


@dataclass(frozen=True)
class BlandAltman:
    """Differences (result minus reference) over scans: their mean and the limits within which 95 % of them lie
    (Bland and Altman 1999, Stat Methods Med Res 8:135)."""

    bias: Interval
    lower: Interval
    upper: Interval


def pearson(reference: ArrayLike, result: ArrayLike, groups: Sequence[object] | None = None, seed: int = 0) -> Interval:
    """Linear correlation, people resampled; it is blind to bias: quote the ICC beside it. NaN where one side is
    constant."""
    x, y = _pairs(reference, result)

    def of_rows(rows: NDArray[np.intp]) -> float:
        a, b = x[rows] - x[rows].mean(), y[rows] - y[rows].mean()
        scale = math.sqrt(float(a @ a) * float(b @ b))
        return float(a @ b) / scale if scale > 0 else NAN

    return bootstrap_rows(of_rows, x.size, groups, seed)


def icc(reference: ArrayLike, result: ArrayLike, groups: Sequence[object] | None = None, seed: int = 0) -> Interval:
    """Intraclass correlation ICC(2,1): two-way random effects, absolute agreement, single measurement (Shrout and
    Fleiss 1979, Psychol Bull 86:420).

    The interval is theirs (F distribution, Satterthwaite's degrees of freedom) where each person has one scan; else
    people are resampled. NaN with fewer than two scans, or where all volumes are one value.
    """
    x, y = _pairs(reference, result)
    people = int(people_of(groups, x.size).max(initial=-1)) + 1
    if people < x.size:
        return bootstrap_rows(lambda rows: _icc(x[rows], y[rows])[0], x.size, groups, seed)
    value, low, high = _icc(x, y)
    return Interval(value, low, high, x.size, people, "exact" if math.isfinite(low) else "none")


def bland_altman(
    reference: ArrayLike, result: ArrayLike, groups: Sequence[object] | None = None, seed: int = 0
) -> BlandAltman:
    """Bias and limits of agreement with 95 % intervals: by Student's t where each person has one scan, else people are
    resampled. The limits need two scans."""
    x, y = _pairs(reference, result)
    d = y - x
    people = int(people_of(groups, d.size).max(initial=-1)) + 1
    if people < d.size:
        bias, lower, upper = (
            bootstrap_rows(lambda rows, at=at: _at(d[rows], at), d.size, groups, seed)  # type: ignore[misc]
            for at in (0.0, -TWO_SD, TWO_SD)
        )
        return BlandAltman(bias, lower, upper)
    bias, lower, upper = (_by_t(d, at) for at in (0.0, -TWO_SD, TWO_SD))
    return BlandAltman(bias, lower, upper)


def _pairs(reference: ArrayLike, result: ArrayLike) -> tuple[Float64, Float64]:
    x, y = np.asarray(reference, float), np.asarray(result, float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"Volumes must be two lists of one length, got {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("Volumes must be finite; leave out scans without one")
    return x, y


def _icc(x: Float64, y: Float64) -> tuple[float, float, float]:
    """Value and bounds from the mean squares of rows (scans), columns (methods) and rest; k = 2 methods."""
    n, k = x.size, 2
    if n < 2:
        return NAN, NAN, NAN
    table = np.stack([x, y], axis=1)
    grand = table.mean()
    rows = k * float(((table.mean(axis=1) - grand) ** 2).sum()) / (n - 1)
    columns = n * float(((table.mean(axis=0) - grand) ** 2).sum()) / (k - 1)
    total = float(((table - grand) ** 2).sum())
    rest = max(0.0, (total - rows * (n - 1) - columns * (k - 1)) / ((n - 1) * (k - 1)))
    below = rows + (k - 1) * rest + k * (columns - rest) / n
    if total == 0 or below <= 0:
        return NAN, NAN, NAN
    value = (rows - rest) / below
    if rest == 0 or n < 3:
        return value, NAN, NAN
    ratio = columns / rest
    numerator = (n - 1) * (k - 1) * (k * value * ratio + n * (1 + (k - 1) * value) - k * value) ** 2
    denominator = (n - 1) * (k * value * ratio) ** 2 + (n * (1 + (k - 1) * value) - k * value) ** 2
    freedom = numerator / denominator
    upper_f = float(special.fdtri(n - 1, freedom, 0.975))
    lower_f = float(special.fdtri(freedom, n - 1, 0.975))
    spread = k * columns + (k * n - k - n) * rest
    low = n * (rows - upper_f * rest) / (upper_f * spread + n * rows)
    high = n * (lower_f * rows - rest) / (spread + n * lower_f * rows)
    return value, float(low), float(high)


def _at(d: Float64, times: float) -> float:
    """Mean plus so many standard deviations."""
    return float(d.mean() + (times * d.std(ddof=1) if times else 0.0)) if d.size > (times != 0) else NAN


def _by_t(d: Float64, times: float) -> Interval:
    """The variance of the limit is s² (1/n + z² / (2 (n - 1)))."""
    n = d.size
    if n < 2:
        return Interval(_at(d, times) if n else NAN, NAN, NAN, n, n, "none")
    error = d.std(ddof=1) * math.sqrt(1 / n + times**2 / (2 * (n - 1)))
    half = float(special.stdtrit(n - 1, 0.975)) * float(error)
    value = _at(d, times)
    return Interval(value, value - half, value + half, n, n, "t")
