"""Free-response ROC: the share of lesions found against false marks per scan (Bunch 1978, J Appl Photogr Eng 4:166)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.detection.match import Match
from brainsift.evaluate.intervals import Interval, bootstrap_rows

Float64 = NDArray[np.float64]

RATES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False marks per scan at which the curve is read; reports of microbleed detectors quote 0.5 to 4."""

ROUNDING = 1e-9
"""A rate times a number of scans may fall short of a whole number by as much."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Of every threshold, from the highest on: false marks per scan, share of lesions found.

    Attributes: `threshold`, `false_per_scan`, `tpr`, each (K,).
    """

    threshold: Float64
    false_per_scan: Float64
    tpr: Float64


def froc_curve(matches: Sequence[Match]) -> Curve:
    """The curve of a group of scans; the share found is NaN where the reference holds no lesion."""
    found = _joined([one.found for one in matches])
    false = _joined([one.false for one in matches])
    hits = found[np.isfinite(found)]
    levels = np.unique(np.concatenate([hits, false]))[::-1]
    n = max(1, len(matches))
    tpr = _at_least(hits, levels) / len(found) if len(found) else np.full(len(levels), np.nan)
    return Curve(levels, _at_least(false, levels) / n, tpr)


def tpr_at(
    matches: Sequence[Match],
    false_per_scan: float,
    people: Sequence[object] | None = None,
    seed: int = 0,
    at_least_mm: float = 0.0,
) -> Interval:
    """Share of lesions found at the lowest threshold with at most so many false marks per scan, people resampled.

    The threshold is chosen anew in each resample, so the interval holds the doubt about it too. NaN without lesions.

    Parameters
    ----------
    at_least_mm : lesions of a smaller or unknown diameter do not count (false marks all do).
    """
    counted = _Counted(matches, at_least_mm)
    return bootstrap_rows(lambda rows: counted.tpr(rows, false_per_scan), len(matches), people, seed)


class _Counted:
    """Scores of a group laid out once, so that a resample costs a few sums."""

    def __init__(self, matches: Sequence[Match], at_least_mm: float) -> None:
        false, scans = _joined([one.false for one in matches]), range(len(matches))
        order = np.argsort(-false, kind="stable")
        self.false = false[order]
        self.of_false = np.repeat(scans, [len(one.false) for one in matches]).astype(np.intp)[order]
        sizes = _joined([one.diameter_mm for one in matches])
        asked = (sizes >= at_least_mm) | (at_least_mm <= 0)
        self.found = _joined([one.found for one in matches])[asked]
        self.of_found = np.repeat(scans, [len(one.found) for one in matches]).astype(np.intp)[asked]

    def tpr(self, rows: NDArray[np.intp], false_per_scan: float) -> float:
        """Share found where the scans `rows` are drawn, some more than once."""
        times = np.bincount(rows, minlength=int(rows.max(initial=-1)) + 1)
        times = np.pad(times, (0, max(0, self._scans - len(times))))
        too_many = times[self.of_false].cumsum() > false_per_scan * len(rows) + ROUNDING
        threshold = self.false[too_many.argmax()] if too_many.any() else -np.inf
        weights = times[self.of_found]
        if not weights.sum():
            return float("nan")
        return float(weights[np.isfinite(self.found) & (self.found > threshold)].sum() / weights.sum())

    @property
    def _scans(self) -> int:
        return int(max(self.of_false.max(initial=-1), self.of_found.max(initial=-1))) + 1


def share_found(matches: Sequence[Match], false_per_scan: float) -> float:
    """As `tpr_at`, without an interval."""
    return _Counted(matches, 0.0).tpr(np.arange(len(matches)), false_per_scan)


def threshold_at(matches: Sequence[Match], false_per_scan: float) -> float:
    """The lowest score above which at most so many marks per scan are false; -inf where all may stay."""
    allowed = int(np.floor(false_per_scan * len(matches) + ROUNDING))
    false = np.sort(_joined([one.false for one in matches]))[::-1]
    return float(np.nextafter(false[allowed], np.inf)) if allowed < len(false) else -np.inf


def _joined(parts: Sequence[Float64]) -> Float64:
    return np.concatenate([np.zeros(0), *parts])


def _at_least(scores: Float64, levels: Float64) -> NDArray[np.intp]:
    """How many scores reach each level."""
    return len(scores) - np.searchsorted(np.sort(scores), levels, side="left")
