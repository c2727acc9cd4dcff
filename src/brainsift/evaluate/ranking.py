"""How well a score ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from brainsift.evaluate.intervals import Interval, bootstrap_rows


def auc(truth: ArrayLike, scores: ArrayLike) -> float:
    """Probability that a true yes scores above a true no, ties counted half (Hanley and McNeil 1982).

    NaN where all of the truth is one class.

    Parameters
    ----------
    truth : (n,) yes or no.
    scores : (n,) higher for yes.
    """
    yes, values = np.asarray(truth, bool), np.asarray(scores, float)
    positives = int(yes.sum())
    negatives = yes.size - positives
    if not positives or not negatives:
        return float("nan")
    rank_sum = float(rankdata(values)[yes].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def auc_interval(
    truth: ArrayLike, scores: ArrayLike, groups: Sequence[object] | None = None, seed: int = 0
) -> Interval:
    """AUC with a bootstrap over people; rows where truth or score is missing (NaN) are left out.

    The bounds are NaN where the ranking is perfect: resampling then has nothing to say.
    """
    yes, values = np.asarray(truth, float), np.asarray(scores, float)
    if yes.shape != values.shape:
        raise ValueError(f"Truth and scores must be of one length, got {yes.shape} and {values.shape}")
    keep = np.isfinite(yes) & np.isfinite(values)
    owners = None if groups is None else [group for group, kept in zip(groups, keep, strict=True) if kept]
    yes, values = yes[keep] > 0, values[keep]

    def of_rows(rows: NDArray[np.intp]) -> float:
        return auc(yes[rows], values[rows])

    return bootstrap_rows(of_rows, int(keep.sum()), owners, seed)
