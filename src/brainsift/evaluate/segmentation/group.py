"""All figures of a group of scans, with intervals that count people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainsift.evaluate.intervals import Interval
from brainsift.evaluate.segmentation.agreement import bland_altman, icc, pearson
from brainsift.evaluate.segmentation.centre import median_and_mean
from brainsift.evaluate.segmentation.scan import ScanScores

SCORES = ("dice", "hd95_mm", "avd_percent", "lesion_recall", "lesion_precision", "lesion_f1")
"""Of each scan, summed up as median and mean."""

CLEAR_ML = 5.0
"""From this load on Dice says something: of a few voxels, one more or less is a third of it."""

LOADS = {
    "all": (0.0, np.inf),
    f"{CLEAR_ML:g} mL and more": (CLEAR_ML, np.inf),
    f"below {CLEAR_ML:g} mL": (1e-9, CLEAR_ML),
    "no lesion": (0.0, 1e-9),
}
"""Name of a group of scans → from which volume of the reference to which, mL."""


@dataclass(frozen=True)
class GroupFigure:
    """One figure of a group: which scans by load, which metric, which statistic."""

    scans: str
    metric: str
    statistic: str
    interval: Interval


def summarise(scores: Sequence[ScanScores], people: Sequence[object] | None = None, seed: int = 0) -> list[GroupFigure]:
    """Median and mean of each metric for each group of `LOADS` that is not empty, and the agreement of volumes.

    Parameters
    ----------
    people : whose each scan is; people are resampled, so that several scans or raters of one do not count twice.
    seed : of the resampling.

    Returns
    -------
    figures; `interval.n` is the number of scans in which a metric is defined.
    """
    owners = list(range(len(scores))) if people is None else list(people)
    if len(owners) != len(scores):
        raise ValueError(f"Each scan needs its person: got {len(scores)} scans and {len(owners)} people")
    figures: list[GroupFigure] = []
    for name, (low, high) in LOADS.items():
        rows = [i for i, one in enumerate(scores) if low <= one.reference_ml < high]
        if rows:
            chosen, whose = [scores[i] for i in rows], [owners[i] for i in rows]
            figures += _of_scans(name, chosen, whose, seed)
    if scores:
        figures += _of_volumes(scores, owners, seed)
    return figures


def _of_scans(name: str, scores: Sequence[ScanScores], people: Sequence[object], seed: int) -> list[GroupFigure]:
    figures = []
    for metric in (*SCORES, "result_ml"):
        values = np.array([getattr(one, metric) for one in scores], float)
        if not np.isfinite(values).any():
            continue
        median, mean = median_and_mean(values, people, seed)
        figures += [GroupFigure(name, metric, "median", median), GroupFigure(name, metric, "mean", mean)]
    return figures


def _of_volumes(scores: Sequence[ScanScores], people: Sequence[object], seed: int) -> list[GroupFigure]:
    reference, result = ([getattr(one, name) for one in scores] for name in ("reference_ml", "result_ml"))
    limits = bland_altman(reference, result, people, seed)
    figures = {
        "Pearson correlation": pearson(reference, result, people, seed),
        "ICC(2,1)": icc(reference, result, people, seed),
        "bias": limits.bias,
        "lower limit of agreement": limits.lower,
        "upper limit of agreement": limits.upper,
    }
    return [GroupFigure("all", "volume_ml", name, interval) for name, interval in figures.items()]
