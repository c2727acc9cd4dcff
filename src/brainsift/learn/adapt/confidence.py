"""How sure the target head may be of its answers: one temperature, from labelled scans that it did not learn from."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from brainsift.learn.quality.truth import N_BINARY, binary_targets

Float32 = NDArray[np.float32]

CAUTIOUS = 2.0
"""Temperature where labels are too few to measure one: a network is mostly surer than it is right (Guo 2017, ICML)."""

MIN_ANSWERS = 60
"""Known answers from which a temperature is measured; a scan has six to eight."""

TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(16.0), 71))
"""Tried, 5 % apart."""


def measured_temperature(logits: Float32, truth: Float32) -> float:
    """The temperature with the highest likelihood of the binary answers.

    Parameters
    ----------
    logits : (N, outputs) of whole scans.
    truth : rows (N, 6) of `COLUMNS`.
    """
    targets = binary_targets(torch.from_numpy(truth)).numpy()
    known = np.isfinite(targets)
    if int(known.sum()) < MIN_ANSWERS:
        return CAUTIOUS
    said, right = logits[:, :N_BINARY][known].astype(np.float64), targets[known].astype(np.float64)
    cooled = said / TEMPERATURES[:, None]
    likelihood = (right * cooled - np.logaddexp(0.0, cooled)).mean(axis=1)
    return float(TEMPERATURES[int(likelihood.argmax())])
