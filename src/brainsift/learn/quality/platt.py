"""Answers whose one half is even odds: log-odds of a trained network, shrunk and shifted to fit validation scans.

A network that ranks scans well may still say one half where odds are not even. Factor and shift are those of greatest
likelihood (Platt 1999, Advances in Large Margin Classifiers, 61-74), held near 1 and 0 where few examples ask for them.
No factor is above 1: validation scans are like those that were learnt from, and scans of a hospital are not, so they
may make a network less sure, never surer.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.truth import N_BINARY, SMALLEST_SHARE, binary_targets
from brainsift.tasks.quality.network import OUTPUTS

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

FACTOR_SD, SHIFT_SD = 0.5, 1.0
"""Standard deviations of the prior on the logarithm of the factor and on the shift."""

FITTED = ("motion_at_least_1", "motion_at_least_2")
"""Answers that are fitted. Ghosts show in the air: the brain alone sees little of movement, and a mean of both views
says too little. Of the others both views see the whole, and a fit gained nothing on validation scans."""


def fit_platt(logits: Float32, truth: Float32) -> Float64:
    """Factor and shift (8, 2) of each binary answer; 1 and 0 of those not in `FITTED`, and where no example, or only
    one class, is known.

    Parameters
    ----------
    logits : (N, 8 or more) of the scans.
    truth : rows (N, 6) as in a bank. A grade is reached or it is not, though training's targets rise slowly; yes and no
        count alike, whatever their shares.
    """
    targets = binary_targets(torch.from_numpy(truth)).numpy()
    fitted = np.tile([1.0, 0.0], (N_BINARY, 1))
    for column in map(OUTPUTS.index, FITTED):
        known = np.isfinite(targets[:, column])
        reached = targets[known, column] > 0.5
        rarer = int(min(reached.sum(), (~reached).sum()))
        if rarer:
            share = np.clip(reached.mean(), SMALLEST_SHARE, 1 - SMALLEST_SHARE)
            weight = np.where(reached, 0.5 / share, 0.5 / (1 - share))
            fitted[column] = _fit_one(logits[known, column].astype(np.float64), reached.astype(float), weight, rarer)
    return fitted


def fold_platt(model: QualityNet, fitted: Float64) -> None:
    """Put factor and shift into the layer that answers: a mean of slices' answers is shrunk and shifted as they are."""
    factor, shift = torch.from_numpy(fitted.astype(np.float32)).T
    with torch.no_grad():
        model.answer.weight[:N_BINARY] *= factor[:, None]
        model.answer.bias[:N_BINARY] *= factor
        model.answer.bias[:N_BINARY] += shift


def _fit_one(x: Float64, yes: Float64, weight: Float64, rarer: int) -> Float64:
    """Greatest posterior; evidence is counted as if both classes had the examples of the rarer one."""

    def loss(at: Float64) -> float:
        z = np.exp(at[0]) * x + at[1]
        cross_entropy = np.average(np.logaddexp(0, z) - yes * z, weights=weight)
        return float(2 * rarer * cross_entropy + 0.5 * (at[0] / FACTOR_SD) ** 2 + 0.5 * (at[1] / SHIFT_SD) ** 2)

    best = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(None, 0), (None, None)]).x
    return np.array([np.exp(best[0]), best[1]])
