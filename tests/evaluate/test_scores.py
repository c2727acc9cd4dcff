"""Ranking and calibration of scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from brainsift.evaluate.calibration_error import calibration_error_interval, expected_calibration_error
from brainsift.evaluate.ranking import auc, auc_interval


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [1, 6])
def test_auc_equals_scikit_learns_with_and_without_ties(seed: int, digits: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(80) < 0.3
    scores = np.round(rng.normal(truth, 1), digits)
    assert auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))


def test_auc_of_hand_computed_cases() -> None:
    assert auc([0, 0, 1, 1], [1, 2, 3, 4]) == 1
    assert auc([1, 1, 0, 0], [1, 2, 3, 4]) == 0
    assert auc([0, 1], [5, 5]) == 0.5
    assert auc([0, 1, 0, 1], [1, 2, 3, 4]) == 0.75


@pytest.mark.parametrize("truth", [[], [1, 1], [0, 0]])
def test_auc_needs_both_classes(truth: list[int]) -> None:
    assert math.isnan(auc(truth, [0.5] * len(truth)))
    assert math.isnan(auc_interval(truth, [0.5] * len(truth)).low)


def test_auc_interval_groups_people_and_leaves_missing_scores_out() -> None:
    rng = np.random.default_rng(1)
    truth = np.arange(60) % 2
    scores = rng.normal(truth, 1)
    scores[0] = np.nan
    once = auc_interval(truth, scores)
    assert (once.n, once.groups) == (59, 59)
    often = auc_interval(np.repeat(truth, 4), np.repeat(scores, 4), np.repeat(np.arange(60), 4).tolist())
    assert often.value == pytest.approx(once.value)
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.15)


def test_calibration_error_of_hand_computed_bins() -> None:
    p = [0.1] * 10 + [0.8] * 10
    truth = [1] * 2 + [0] * 8 + [1] * 5 + [0] * 5
    assert expected_calibration_error(truth, p, bins=2) == pytest.approx((0.1 + 0.3) / 2)


def test_probabilities_that_mean_what_they_say_have_almost_no_error() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(40_000)
    truth = rng.random(p.size) < p
    assert expected_calibration_error(truth, p) < 0.01
    assert expected_calibration_error(truth, p**0.25) > 0.1


def test_calibration_error_edge_cases() -> None:
    assert math.isnan(expected_calibration_error([], []))
    assert expected_calibration_error([1], [1.0]) == 0
    assert expected_calibration_error([1, 0, 1], [1.0, 0.0, 1.0]) == 0
    with pytest.raises(ValueError, match="0 to 1"):
        expected_calibration_error([1], [1.5])
    with pytest.raises(ValueError, match="one bin"):
        expected_calibration_error([1], [0.5], bins=0)


def test_calibration_error_interval_leaves_missing_rows_out() -> None:
    rng = np.random.default_rng(3)
    p = rng.random(200)
    truth = (rng.random(200) < p).astype(float)
    truth[:5] = np.nan
    interval = calibration_error_interval(truth, p, groups=[i // 2 for i in range(200)])
    assert (interval.n, interval.groups) == (195, 98)
    assert interval.low < interval.high
