"""Whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainsift.evaluate.intervals import Interval, bootstrap_rows

BINS = 10
"""As in Guo 2017 within a factor; bins hold equally many scans, because equal widths leave most bins empty."""


def expected_calibration_error(truth: ArrayLike, probabilities: ArrayLike, bins: int = BINS) -> float:
    """Mean distance of probability and frequency over bins of equally many scans (Nixon 2019, arXiv 1904.01685).

    Of few scans it is biased upwards, because the frequency in a bin scatters: compare figures of one n only.
    NaN for no scans. For several classes give the probability of the answer and whether the answer was right.

    Parameters
    ----------
    truth : (n,) yes or no.
    probabilities : (n,) of yes, 0-1.

    Raises
    ------
    ValueError
        if a probability is outside 0-1, or there is no bin.
    """
    yes, p = np.asarray(truth, float), np.asarray(probabilities, float)
    if bins < 1:
        raise ValueError(f"At least one bin is needed, got {bins}")
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise ValueError(f"Probabilities must lie from 0 to 1, got {p.min():g} to {p.max():g}")
    if not p.size:
        return float("nan")
    order = np.argsort(p, kind="stable")
    gap = yes[order] - p[order]
    starts = np.unique(np.linspace(0, p.size, min(bins, p.size), endpoint=False).astype(int))
    return float(np.abs(np.add.reduceat(gap, starts)).sum() / p.size)


def calibration_error_interval(
    truth: ArrayLike, probabilities: ArrayLike, groups: Sequence[object] | None = None, seed: int = 0, bins: int = BINS
) -> Interval:
    """Expected calibration error with a bootstrap over people; missing rows (NaN) are left out.

    A resample repeats people and so looks worse calibrated than the sample did: the interval leans upwards.
    """
    yes, p = np.asarray(truth, float), np.asarray(probabilities, float)
    if yes.shape != p.shape:
        raise ValueError(f"Truth and probabilities must be of one length, got {yes.shape} and {p.shape}")
    keep = np.isfinite(yes) & np.isfinite(p)
    owners = None if groups is None else [group for group, kept in zip(groups, keep, strict=True) if kept]
    yes, p = yes[keep], p[keep]

    def of_rows(rows: NDArray[np.intp]) -> float:
        return expected_calibration_error(yes[rows], p[rows], bins)

    return bootstrap_rows(of_rows, int(keep.sum()), owners, seed)
