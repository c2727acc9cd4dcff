"""All figures of a group of scans, with intervals that count people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.detection.froc import RATES, tpr_at
from brainsift.evaluate.detection.match import Match
from brainsift.evaluate.intervals import bootstrap_rows
from brainsift.evaluate.segmentation.group import GroupFigure
from brainsift.evaluate.splits import grouped_folds

Float64 = NDArray[np.float64]

BINS = (1, 5, 10)
"""None, 1 to 4, 5 to 9, 10 and more: the bins used for ARIA-H in trials of antibodies against amyloid."""

SIZE_MM = 3.0
"""Lesions from this diameter on are also told apart: smaller ones are near the voxel's size in most scans."""

FALSE_PER_SCAN = "false_per_scan"
"""Of all scans, and of those without a lesion."""


def summarise(
    matches: Sequence[Match],
    people: Sequence[object] | None = None,
    thresholds: Sequence[float] | float = -np.inf,
    seed: int = 0,
) -> list[GroupFigure]:
    """Figures at the given thresholds, and the FROC where scores differ.

    Parameters
    ----------
    people : whose each scan is; people are resampled.
    thresholds : least score of a mark that counts, one for all scans or one for each.

    Returns
    -------
    figures: `tpr` (lesions pooled), `false_per_scan`, `precision`, `f1` (pooled), `count_error` (mean absolute
    difference of counts), `count_bias`, `same_bin` (share of scans whose count falls into the right one of `BINS`).
    """
    owners = list(range(len(matches))) if people is None else list(people)
    limits = np.broadcast_to(np.asarray(thresholds, float), (len(matches),))
    if len(owners) != len(matches):
        raise ValueError(f"each scan needs its person: got {len(matches)} scans and {len(owners)} people")
    if not matches:
        return []
    table = np.array([one.counts(limit) for one, limit in zip(matches, limits, strict=True)], float)
    figures = [_figure("all", name, of, table, owners, seed) for name, of in METRICS.items()]
    empty = np.flatnonzero(table[:, 0] == 0)
    if empty.size:
        whose = [owners[i] for i in empty]
        figures.append(_figure("no lesion", FALSE_PER_SCAN, _false_per_scan, table[empty], whose, seed))
    for name, low, high in ((f"{SIZE_MM:g} mm and more", SIZE_MM, np.inf), (f"below {SIZE_MM:g} mm", 0.0, SIZE_MM)):
        sized = np.array([_of_size(one, limit, low, high) for one, limit in zip(matches, limits, strict=True)], float)
        if sized[:, 0].any():
            figures.append(_figure(name, "tpr", _tpr, sized, owners, seed))
    if len(np.unique(np.concatenate([score for one in matches for score in (one.found, one.false)]))) > 2:
        for rate in RATES:
            value = tpr_at(matches, rate, owners, seed)
            figures.append(GroupFigure("all", "tpr", f"at {rate:g} false per scan", value))
    return figures


def cross_fitted_thresholds(
    matches: Sequence[Match], people: Sequence[object], folds: int, seed: int = 0
) -> NDArray[np.float64]:
    """(N,) threshold of each scan, chosen for the best pooled F1 on the other folds; a person's scans share a fold.

    With it a threshold is measured on people who did not choose it.

    Raises
    ------
    ValueError
        if there are fewer people than folds, or fewer than two folds.
    """
    fold_of = grouped_folds(people, folds, seed)
    thresholds = np.empty(len(matches))
    for fold in range(folds):
        rest = [one for one, number in zip(matches, fold_of, strict=True) if number != fold]
        thresholds[fold_of == fold] = best_threshold(rest)
    return thresholds


def best_threshold(matches: Sequence[Match]) -> float:
    """Threshold with the highest pooled F1, in the middle between two scores; -inf where there is no lesion to find."""
    found = np.concatenate([np.zeros(0), *(one.found for one in matches)])
    false = np.sort(np.concatenate([np.zeros(0), *(one.false for one in matches)]))
    hits = np.sort(found[np.isfinite(found)])
    if not hits.size:
        return -np.inf
    levels = np.unique(np.concatenate([hits, false]))
    true = len(hits) - np.searchsorted(hits, levels)
    marked = true + len(false) - np.searchsorted(false, levels)
    best = int((2 * true / (len(found) + marked)).argmax())
    return float(levels[best] if best == 0 else (levels[best] + levels[best - 1]) / 2)


def _of_size(one: Match, threshold: float, low: float, high: float) -> tuple[int, int, int]:
    chosen = (one.diameter_mm >= low) & (one.diameter_mm < high)
    return int(chosen.sum()), int((chosen & np.isfinite(one.found) & (one.found >= threshold)).sum()), 0


def _figure(
    scans: str, metric: str, of: Callable[[Float64], float], table: Float64, owners: Sequence[object], seed: int
) -> GroupFigure:
    interval = bootstrap_rows(lambda rows: of(table[rows]), len(table), owners, seed)
    return GroupFigure(scans, metric, "pooled" if metric in POOLED else "mean", interval)


def _ratio(over: float, under: float) -> float:
    return over / under if under else float("nan")


def _tpr(t: Float64) -> float:
    return _ratio(t[:, 1].sum(), t[:, 0].sum())


def _precision(t: Float64) -> float:
    return _ratio(t[:, 1].sum(), t[:, 1].sum() + t[:, 2].sum())


def _f1(t: Float64) -> float:
    return _ratio(2 * t[:, 1].sum(), t[:, 0].sum() + t[:, 1].sum() + t[:, 2].sum())


def _false_per_scan(t: Float64) -> float:
    return float(t[:, 2].mean())


def _more(t: Float64) -> Float64:
    """(n,) marks minus lesions."""
    return t[:, 1] + t[:, 2] - t[:, 0]


def _same_bin(t: Float64) -> float:
    return float((np.digitize(t[:, 0], BINS) == np.digitize(t[:, 1] + t[:, 2], BINS)).mean())


METRICS: dict[str, Callable[[Float64], float]] = {
    "tpr": _tpr,
    FALSE_PER_SCAN: _false_per_scan,
    "precision": _precision,
    "f1": _f1,
    "count_error": lambda t: float(np.abs(_more(t)).mean()),
    "count_bias": lambda t: float(_more(t).mean()),
    "same_bin": _same_bin,
}
"""Of a table (n, 3): lesions of the reference, those hit, false marks. NaN where nothing can be said."""

POOLED = ("tpr", "precision", "f1")
