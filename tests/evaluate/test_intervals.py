"""Bootstrap intervals: coverage, grouping, small samples."""

import math

import numpy as np
import pytest

from brainsift.evaluate.intervals import bootstrap


def test_interval_of_a_mean_is_close_to_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(10, 2, 400)
    result = bootstrap(values)
    half = 1.96 * values.std(ddof=1) / math.sqrt(400)
    assert result.value == pytest.approx(values.mean())
    assert result.low == pytest.approx(values.mean() - half, abs=0.03)
    assert result.high == pytest.approx(values.mean() + half, abs=0.03)
    assert (result.n, result.groups) == (400, 400)


def test_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(2)
    hits = sum((r := bootstrap(rng.normal(0, 1, 60), seed=i)).low <= 0 <= r.high for i in range(60))
    assert 50 <= hits <= 60


def test_repeats_of_the_same_people_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(3)
    people = rng.normal(0, 1, 20)
    once = bootstrap(people)
    often = bootstrap(np.repeat(people, 10), groups=np.repeat(np.arange(20), 10))
    ignoring = bootstrap(np.repeat(people, 10))
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.1)
    assert ignoring.high - ignoring.low < 0.5 * (once.high - once.low)
    assert often.groups == 20


def test_one_person_has_a_value_but_no_interval() -> None:
    result = bootstrap([1.0, 3.0], groups=["a", "a"])
    assert result.value == 2.0
    assert math.isnan(result.low)
    assert math.isnan(result.high)


def test_missing_values_are_left_out() -> None:
    assert bootstrap([1.0, np.nan, 3.0]).n == 2
