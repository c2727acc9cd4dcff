"""Temperature scaling: one number that makes a network's probabilities as sure as they are right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_softmax

Values = NDArray[np.float64]

EPSILON = 1e-6
"""Probabilities are read no closer to 0 and 1 than this: float32 networks say 0 and 1 outright."""

COLDEST, HOTTEST = 0.05, 20.0
"""Bounds of the search."""

PRIOR_SPREAD = 1.0
"""Standard deviation of the logarithm of the temperature before data: most networks lie within a factor of e of 1. A
few dozen people outweigh it; where none of them was wrong it keeps the best temperature off 0."""


def logit(probabilities: ArrayLike) -> Values:
    """Log odds, finite."""
    p = np.clip(np.asarray(probabilities, float), EPSILON, 1 - EPSILON)
    odds: Values = np.log(p) - np.log1p(-p)
    return odds


def fit_binary(probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Temperature of the probabilities (n,) of yes, by likelihood (Guo 2017, ICML) and a weak prior.

    Raises
    ------
    ValueError
        if there is no value, or lengths differ.
    """
    sign = 2 * np.asarray(truth, bool).astype(float) - 1
    signed = _same_length(logit(probabilities), sign) * sign
    mass = _weights(weights, signed.size)

    def loss(beta: float) -> float:
        return float(mass @ np.logaddexp(0, -beta * signed))

    return _best(loss)


def fit_classes(probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Temperature of (n, K) probabilities of classes; `truth` (n,) holds class numbers."""
    logits = np.log(np.clip(np.asarray(probabilities, float), EPSILON, 1.0))
    right = np.asarray(truth, int)
    _same_length(logits, right)
    mass = _weights(weights, len(right))

    def loss(beta: float) -> float:
        return -float(mass @ log_softmax(beta * logits, axis=1)[np.arange(len(right)), right])

    return _best(loss)


def fit_ordinal(at_least: ArrayLike, grades: ArrayLike, weights: ArrayLike | None = None) -> float:
    """One temperature for the probabilities (n, K - 1) of a grade of at least 1, 2, ...; `grades` (n,) are 0 to K - 1.

    Dividing all log odds by one number keeps them in order, so that they stay probabilities of nested events.
    """
    p, true = np.asarray(at_least, float), np.asarray(grades, int)
    _same_length(p, true)
    reached = true[:, None] >= np.arange(1, p.shape[1] + 1)
    mass = np.repeat(_weights(weights, len(true)), p.shape[1])
    return fit_binary(p.ravel(), reached.ravel(), mass)


def apply_binary(probabilities: ArrayLike, temperature: float) -> Values:
    """Probabilities of yes, or of a grade of at least k, at a temperature."""
    scaled: Values = expit(logit(probabilities) / temperature)
    return scaled


def apply_classes(probabilities: ArrayLike, temperature: float) -> Values:
    """(n, K) probabilities of classes at a temperature; rows sum to 1."""
    logits = np.log(np.clip(np.asarray(probabilities, float), EPSILON, 1.0))
    scaled: Values = np.exp(log_softmax(logits / temperature, axis=1))
    return scaled


def _best(loss: Callable[[float], float]) -> float:
    """Search the logarithm of 1 / temperature, in which the likelihood has one peak."""
    from scipy.optimize import minimize_scalar  # a run only applies temperatures, and need not wait for this

    found = minimize_scalar(
        lambda log_beta: loss(float(np.exp(log_beta))) + (log_beta / PRIOR_SPREAD) ** 2 / 2,
        bounds=(-np.log(HOTTEST), -np.log(COLDEST)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(-found.x))


def _same_length(values: Values, truth: NDArray[np.generic]) -> Values:
    if not len(values) or len(values) != len(truth):
        raise ValueError(f"Probabilities and truth must be of one length, at least 1, got {len(values)}, {len(truth)}")
    return values


def _weights(weights: ArrayLike | None, n: int) -> Values:
    mass = np.ones(n) if weights is None else np.asarray(weights, float)
    if mass.shape != (n,):
        raise ValueError(f"There must be {n} weights, got {mass.shape}")
    return mass
