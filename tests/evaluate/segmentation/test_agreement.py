"""Agreement of volumes against hand computation and by simulation."""

import math

import numpy as np
import pytest

from brainsift.evaluate.segmentation.agreement import bland_altman, icc, pearson


def test_a_constant_bias_keeps_the_correlation_and_lowers_the_icc() -> None:
    """Mean squares: scans 10/3, methods 2, rest 0; ICC(2,1) = (10/3) / (10/3 + 2 x 2 / 4)."""
    x = [1.0, 2.0, 3.0, 4.0]
    y = [2.0, 3.0, 4.0, 5.0]
    assert pearson(x, y).value == pytest.approx(1)
    assert icc(x, y).value == pytest.approx((10 / 3) / (10 / 3 + 1))
    assert bland_altman(x, y).bias.value == 1


def test_icc_of_a_small_table_equals_the_mean_squares_by_hand() -> None:
    """Rows (9, 2), (6, 1), (8, 4), (7, 1): row means 5.5 3.5 6 4, columns 7.5 and 2, grand 4.75. Squares: rows
    2 x 4.25 = 8.5 over 3, columns 4 x 2 x 2.75² = 60.5 over 1, total 71.5, rest 71.5 - 8.5 - 60.5 = 2.5 over 3."""
    scans, methods, rest = 8.5 / 3, 60.5, 2.5 / 3
    expected = (scans - rest) / (scans + rest + 2 * (methods - rest) / 4)
    assert icc([9, 6, 8, 7], [2, 1, 4, 1]).value == pytest.approx(expected)


def test_intervals_of_the_icc_hold_the_truth_as_often_as_they_say() -> None:
    """Scans with variance 4, methods 0.3, rest 1: ICC 4 / 5.3."""
    rng = np.random.default_rng(0)
    truth, hits = 4 / 5.3, 0
    rounds = 400
    for _ in range(rounds):
        scans = rng.normal(0, 2, 25)
        sides = [scans + rng.normal(0, math.sqrt(0.3)) + rng.normal(0, 1, 25) for _ in range(2)]
        interval = icc(*sides)
        hits += interval.low <= truth <= interval.high
    assert 0.91 <= hits / rounds <= 0.99


def test_limits_of_agreement_by_hand() -> None:
    """Differences -1, 0, 1: mean 0, standard deviation 1."""
    limits = bland_altman([5, 5, 5], [4, 5, 6])
    assert limits.bias.value == 0
    assert limits.upper.value == pytest.approx(1.96, abs=1e-3)
    assert limits.lower.value == pytest.approx(-1.96, abs=1e-3)
    t = 4.30265  # 97.5 % of Student's t with 2 degrees of freedom
    assert limits.bias.high == pytest.approx(t / math.sqrt(3), rel=1e-4)
    assert limits.upper.high - 1.95996 == pytest.approx(t * math.sqrt(1 / 3 + 1.95996**2 / 4), rel=1e-4)


def test_several_scans_of_one_person_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat(rng.uniform(0, 30, 8), 6)
    answer = truth + np.repeat(rng.normal(0, 3, 8), 6) + rng.normal(0, 0.1, 48)
    people = np.repeat(np.arange(8), 6).tolist()
    alone, together = bland_altman(truth, answer).bias, bland_altman(truth, answer, people).bias
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert together.groups == 8
    assert icc(truth, answer, people).method == "bootstrap"


def test_nothing_is_said_of_too_few_or_constant_volumes() -> None:
    assert math.isnan(icc([1.0], [1.0]).value)
    assert math.isnan(icc([2.0, 2.0], [2.0, 2.0]).value)
    assert math.isnan(pearson([2.0, 2.0], [1.0, 3.0]).value)
    assert math.isnan(bland_altman([1.0], [3.0]).upper.value)
    assert bland_altman([1.0], [3.0]).bias.value == 2
    with pytest.raises(ValueError, match="one length"):
        icc([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="finite"):
        icc([1.0, math.nan], [1.0, 2.0])
