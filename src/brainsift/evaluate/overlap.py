"""Overlap of label maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def dice(
    predicted: NDArray[np.integer], truth: NDArray[np.integer], groups: Mapping[str, Sequence[int]]
) -> dict[str, float]:
    """Dice coefficient 2|A and B| / (|A| + |B|) of each group of labels (Dice 1945, Ecology 26:297).

    Parameters
    ----------
    predicted, truth : whole numbers from 0 on, same shape.
    groups : name → the labels that together make one region.

    Returns
    -------
    name → [0, 1]; NaN where neither map holds any of the labels.
    """
    if predicted.shape != truth.shape:
        raise ValueError(f"both maps must have one shape, got {predicted.shape} and {truth.shape}")
    n = int(max(predicted.max(initial=0), truth.max(initial=0), *(max(g) for g in groups.values()))) + 1
    pairs = np.bincount(truth.ravel().astype(np.int64) * n + predicted.ravel(), minlength=n * n)
    joint = pairs.reshape(n, n).astype(float)
    result = {}
    for name, labels in groups.items():
        rows = list(labels)
        size = joint[rows].sum() + joint[:, rows].sum()
        result[name] = float(2 * joint[np.ix_(rows, rows)].sum() / size) if size else float("nan")
    return result
