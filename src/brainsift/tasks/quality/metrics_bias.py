"""A smooth field of brightness, estimated from white matter alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

ORDER = 3
"""Of the polynomial: coils vary over centimetres, and white matter tells no more without taking anatomy for field."""

EXPONENTS = tuple(e for e in product(range(ORDER + 1), repeat=3) if 0 < sum(e) <= ORDER)

MIN_POINTS = 500
"""19 coefficients want some 25 points each; a brain has tens of thousands (at 2 mm, 8 mm³ each)."""

MAX_POINTS = 20_000

ROUNDS = 3
OUTLIER = 3.0
"""Standard deviations (from the MAD): lesions, vessels and wrong labels are left out of the next round."""

MAD_TO_SD = 1.4826


@dataclass(frozen=True, eq=False)
class BiasField:
    """Factor by which tissue is brighter than it should be; 1 is the middle of white matter.

    Attributes
    ----------
    low, high : (3,) mm, box of the white matter; beyond it the field stays as at its faces.
    weights : (len(EXPONENTS),) of the logarithm of the field.
    level : logarithm of the field where the polynomial is 0.
    """

    low: Float64
    high: Float64
    weights: Float64
    level: float

    def at(self, points: Float64) -> Float64:
        """The field at `points` (n, 3) mm, (n,)."""
        field: Float64 = np.exp(_terms(points, self.low, self.high) @ self.weights + self.level)
        return field


def fit_bias(points: Float64, values: Float64) -> BiasField | None:
    """Fit the logarithm of `values` by a polynomial of third order, least squares with outliers left out.

    Parameters
    ----------
    points : (n, 3) mm, of white matter.
    values : (n,), its brightness.

    Returns
    -------
    the field, with median 1 over `points`; None with too few points of positive brightness.
    """
    step = -(-len(values) // MAX_POINTS) or 1
    points, values = points[::step], values[::step]
    bright = values > 0
    points, logs = points[bright], np.log(values[bright])
    if len(logs) < MIN_POINTS:
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    if not (high > low).all():
        return None
    terms = _terms(points, low, high)
    design = np.column_stack([np.ones(len(logs)), terms])
    kept = np.ones(len(logs), dtype=np.bool_)
    weights = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        # Columns may be dependent in a thin slab; the least-norm solution is then the flattest field.
        weights = np.linalg.lstsq(design[kept], logs[kept], rcond=1e-8)[0]
        rest = logs - design @ weights
        middle = float(np.median(rest[kept]))
        spread = MAD_TO_SD * float(np.median(np.abs(rest[kept] - middle)))
        if spread <= 0:
            break
        kept = np.abs(rest - middle) <= OUTLIER * spread
    shape = weights[1:]
    return BiasField(low, high, shape, -float(np.median(terms @ shape)))


def _terms(points: Float64, low: Float64, high: Float64) -> Float64:
    """Monomials (n, terms) of the position in the box, scaled to [-1, 1] and held at its faces."""
    scaled = np.clip((points - low) / (high - low) * 2 - 1, -1, 1)
    powers = [np.ones_like(scaled), scaled]
    for _ in range(1, ORDER):
        powers.append(powers[-1] * scaled)
    terms: Float64 = np.stack([powers[a][:, 0] * powers[b][:, 1] * powers[c][:, 2] for a, b, c in EXPONENTS], axis=1)
    return terms
