"""The table of a group."""

import math

import numpy as np
import pytest

from brainsift.evaluate.intervals import RESAMPLES
from brainsift.evaluate.segmentation.centre import median_and_mean
from brainsift.evaluate.segmentation.group import summarise
from brainsift.evaluate.segmentation.scan import ScanScores

NAN = float("nan")


def scan(reference_ml: float, result_ml: float, dice: float) -> ScanScores:
    return ScanScores(reference_ml, result_ml, dice, NAN, NAN, 1.0, 1.0, 1.0, 1, 1)


SCANS = [scan(0, 0.2, 0), scan(0, 0.4, 0), scan(2, 1, 0.4), scan(8, 9, 0.7), scan(20, 18, 0.9)]


def test_scans_are_summed_up_by_load() -> None:
    figures = {(f.scans, f.metric, f.statistic): f.interval for f in summarise(SCANS)}
    assert figures["5 mL and more", "dice", "mean"].value == pytest.approx(0.8)
    assert figures["5 mL and more", "dice", "mean"].n == 2
    assert figures["below 5 mL", "dice", "median"].value == pytest.approx(0.4)
    assert figures["no lesion", "result_ml", "median"].value == pytest.approx(0.3)
    assert figures["all", "volume_ml", "bias"].value == pytest.approx(np.mean([0.2, 0.4, -1, 1, -2]))
    assert not any(metric == "hd95_mm" for _, metric, _ in figures)


def test_intervals_count_people_and_not_scans() -> None:
    two = summarise([scan(8, 9, 0.7), scan(8, 9, 0.9)], ["a", "a"])
    mean = next(f.interval for f in two if (f.metric, f.statistic) == ("dice", "mean"))
    assert (mean.n, mean.groups) == (2, 1)
    assert math.isnan(mean.low)
    with pytest.raises(ValueError, match="its person"):
        summarise(SCANS, ["a"])


def test_medians_and_means_are_those_of_laid_out_resamples() -> None:
    """The same draws, laid out value by value and given to numpy."""
    rng = np.random.default_rng(4)
    values, people = rng.normal(size=12), [f"p{i // 2}" for i in range(12)]
    median, mean = median_and_mean(values, people, seed=3)
    times = np.random.default_rng(3).multinomial(6, np.full(6, 1 / 6), RESAMPLES)
    laid_out = [np.concatenate([np.tile(values[2 * p : 2 * p + 2], t) for p, t in enumerate(row)]) for row in times]
    assert median.value == np.median(values)
    for interval, statistic in ((median, np.median), (mean, np.mean)):
        expected = np.percentile([statistic(sample) for sample in laid_out], [2.5, 97.5])
        np.testing.assert_allclose([interval.low, interval.high], expected)


def test_undefined_figures_are_left_out_and_counted_out() -> None:
    median, mean = median_and_mean([NAN, 1.0, 3.0])
    assert (median.value, mean.value, median.n, mean.groups) == (2.0, 2.0, 2, 2)
    assert median_and_mean([NAN])[0].n == 0
