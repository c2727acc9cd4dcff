"""Exact intervals against scipy's and against what they promise."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binom, binomtest

from brainsift.evaluate.proportions import clopper_pearson


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (0, 59), (1, 10), (5, 10), (299, 300), (300, 300)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_bounds_equal_scipys(successes: int, n: int, level: float) -> None:
    expected = binomtest(successes, n).proportion_ci(level, method="exact")
    interval = clopper_pearson(successes, n, level)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.value == successes / n


def test_of_nobody_everything_is_possible() -> None:
    interval = clopper_pearson(0, 0)
    assert math.isnan(interval.value)
    assert (interval.low, interval.high) == (0, 1)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_coverage_is_never_below_the_level(share: float) -> None:
    n = 40
    covered = sum(
        binom.pmf(k, n, share) for k in range(n + 1) if clopper_pearson(k, n).low <= share <= clopper_pearson(k, n).high
    )
    assert covered >= 0.95


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3)])
def test_more_successes_than_trials_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        clopper_pearson(successes, n)


def test_a_level_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        clopper_pearson(1, 3, 95)
