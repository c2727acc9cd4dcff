"""Metrics of a confusion table with their intervals: exact where each person counts once, else people resampled."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from brainsift.evaluate import rates
from brainsift.evaluate.confusion import Confusion, bootstrap_table
from brainsift.evaluate.intervals import Interval
from brainsift.evaluate.proportions import clopper_pearson


def recall_interval(table: Confusion, row: int, seed: int = 0, level: float = 0.95) -> Interval:
    """Share of one true class that was answered right; for yes and no, row 1 gives sensitivity, row 0 specificity.

    Exact (Clopper-Pearson) where no person has two scans of the class. Else people are resampled; if all scans were
    right, or all wrong, that has no spread, and the exact interval of as many people is given.
    """
    scans = table.by_person[:, row, :].sum(axis=-1)
    people, n = int((scans > 0).sum()), int(scans.sum())
    right = int(table.total[row, row])
    if n == people:
        return clopper_pearson(right, n, level)
    if right in (0, n):
        exact = clopper_pearson(people if right else 0, people, level)
        return Interval(right / n, exact.low, exact.high, n, people, "exact by person")
    resampled = bootstrap_table(table, lambda tables: rates.recalls(tables)[..., row], seed, level)
    return Interval(resampled.value, resampled.low, resampled.high, n, people, resampled.method)


def balanced_accuracy_interval(table: Confusion, seed: int = 0, level: float = 0.95) -> Interval:
    """Balanced accuracy, people resampled; where no scan was wrong, bounds from the exact ones of each class."""

    def of_recalls(shares: list[float]) -> float:
        return sum(shares) / len(shares)

    return _resampled_or_box(table, rates.balanced_accuracy, of_recalls, seed, level)


def predictive_values(
    table: Confusion, prevalence: float, seed: int = 0, level: float = 0.95
) -> tuple[Interval, Interval]:
    """PPV and NPV where a share `prevalence` is truly yes; bounds as for the balanced accuracy."""

    def of_yes(shares: list[float]) -> float:
        no, yes = (np.asarray(share) for share in shares)
        return float(rates.predictive_value(yes, no, prevalence))

    def of_no(shares: list[float]) -> float:
        no, yes = (np.asarray(share) for share in shares)
        return float(rates.predictive_value(no, yes, 1 - prevalence))

    return (
        _resampled_or_box(table, lambda tables: rates.ppv(tables, prevalence), of_yes, seed, level),
        _resampled_or_box(table, lambda tables: rates.npv(tables, prevalence), of_no, seed, level),
    )


def mcc_interval(table: Confusion, seed: int = 0, level: float = 0.95) -> Interval:
    """Matthews' correlation, people resampled; NaN bounds where no scan was wrong."""
    return bootstrap_table(table, rates.mcc, seed, level)


def accuracy_interval(table: Confusion, seed: int = 0, level: float = 0.95) -> Interval:
    """Share answered right; exact where each person has one scan."""
    if table.n == table.people:
        return clopper_pearson(int(np.trace(table.total)), table.n, level)
    return bootstrap_table(table, rates.accuracy, seed, level)


def kappa_interval(
    table: Confusion, weighting: rates.Weighting = "quadratic", seed: int = 0, level: float = 0.95
) -> Interval:
    """Agreement beyond chance between two raters, or a rater and the machine, people resampled."""
    return bootstrap_table(table, lambda tables: rates.weighted_kappa(tables, weighting), seed, level)


def _resampled_or_box(
    table: Confusion,
    metric: Callable[[np.ndarray], np.ndarray],
    of_recalls: Callable[[list[float]], float],
    seed: int,
    level: float,
) -> Interval:
    """Resample; where that shows no spread, combine exact bounds of the recalls that `metric` rises with.

    Each of C recalls is bounded at 1 - (1 - level) / C, so that all bounds hold together (Bonferroni).
    """
    resampled = bootstrap_table(table, metric, seed, level)
    present = np.flatnonzero(table.total.sum(axis=1))
    if math.isfinite(resampled.low) or not math.isfinite(resampled.value) or len(present) < 2:
        return resampled
    each = 1 - (1 - level) / len(present)
    recalls = [recall_interval(table, int(row), seed, each) for row in present]
    low, high = of_recalls([r.low for r in recalls]), of_recalls([r.high for r in recalls])
    return Interval(resampled.value, low, high, table.n, table.people, "exact by class")
