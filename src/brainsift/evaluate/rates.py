"""Metrics of a confusion table: each takes (..., C, C) counts, rows the truth, and gives (...) values.

A value is NaN where the table cannot say: a class that nobody has, or nobody at all.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.confusion import Tables

Values = NDArray[np.float64]

Weighting = Literal["none", "linear", "quadratic"]


def divide(over: NDArray[np.float64], under: NDArray[np.float64]) -> Values:
    """Quotient, NaN where the divisor is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(under != 0, over / np.where(under != 0, under, 1), np.nan)


def recalls(tables: Tables) -> Values:
    """(..., C) share of each true class that was answered right; NaN for a class that nobody has."""
    return divide(np.diagonal(tables, axis1=-2, axis2=-1), tables.sum(axis=-1))


def accuracy(tables: Tables) -> Values:
    """Share answered right; of several classes it hides a rare one: quote the balanced accuracy beside it."""
    return divide(np.trace(tables, axis1=-2, axis2=-1), tables.sum(axis=(-2, -1)))


def balanced_accuracy(tables: Tables) -> Values:
    """Mean recall over the classes that someone has (Brodersen 2010, ICPR); NaN with fewer than two such classes."""
    right = recalls(tables)
    present = np.isfinite(right)
    count = present.sum(axis=-1)
    return np.where(count > 1, np.where(present, right, 0).sum(axis=-1) / np.maximum(count, 1), np.nan)


def sensitivity(tables: Tables) -> Values:
    """Share of the true yes that was answered yes; (..., 2, 2) tables."""
    return recalls(_two(tables))[..., 1]


def specificity(tables: Tables) -> Values:
    """Share of the true no that was answered no; (..., 2, 2) tables."""
    return recalls(_two(tables))[..., 0]


def ppv(tables: Tables, prevalence: float) -> Values:
    """Probability that a yes is right where a share `prevalence` is truly yes, by Bayes' rule.

    The share of a sample that was chosen (half good, half bad) says nothing of a hospital's: state your own.
    """
    return predictive_value(sensitivity(tables), specificity(tables), _share(prevalence))


def npv(tables: Tables, prevalence: float) -> Values:
    """Probability that a no is right where a share `prevalence` is truly yes."""
    return predictive_value(specificity(tables), sensitivity(tables), 1 - _share(prevalence))


def predictive_value(right: Values, other_right: Values, share: float) -> Values:
    """Probability that an answer is right, from the recalls of its class and of the other and its class's share."""
    hits = right * share
    return divide(hits, hits + (1 - other_right) * (1 - share))


def mcc(tables: Tables) -> Values:
    """Matthews' correlation of truth and answer for any number of classes (Gorodkin 2004, Comput Biol Chem 28:367).

    NaN where the truth has one class alone, 0 where only the answer has.
    """
    n = tables.sum(axis=(-2, -1))
    true, answered = tables.sum(axis=-1), tables.sum(axis=-2)
    covariance = np.trace(tables, axis1=-2, axis2=-1) * n - (true * answered).sum(axis=-1)
    of_truth = n**2 - (true**2).sum(axis=-1)
    of_answer = n**2 - (answered**2).sum(axis=-1)
    return np.where(
        of_truth == 0, np.nan, np.where(of_answer == 0, 0.0, divide(covariance, np.sqrt(of_truth * of_answer)))
    )


def weighted_kappa(tables: Tables, weighting: Weighting = "quadratic") -> Values:
    """Agreement beyond chance, with near misses counted as smaller faults (Cohen 1968, Psychol Bull 70:213).

    NaN where both sides say one and the same class throughout: then agreement by chance cannot be told from any other.
    """
    size = tables.shape[-1]
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size))).astype(float)
    cost = (apart > 0).astype(float) if weighting == "none" else apart ** (2 if weighting == "quadratic" else 1)
    n = tables.sum(axis=(-2, -1))
    expected = divide(tables.sum(axis=-1)[..., :, None] * tables.sum(axis=-2)[..., None, :], n[..., None, None])
    return 1 - divide((cost * tables).sum(axis=(-2, -1)), (cost * expected).sum(axis=(-2, -1)))


def _two(tables: Tables) -> Tables:
    if tables.shape[-2:] != (2, 2):
        raise ValueError(f"Sensitivity and specificity are of yes and no, got {tables.shape[-1]} classes")
    return tables


def _share(prevalence: float) -> float:
    if not 0 <= prevalence <= 1:
        raise ValueError(f"A prevalence is a share from 0 to 1, got {prevalence}")
    return prevalence
