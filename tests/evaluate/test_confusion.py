"""Counting by person, and resampling people."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brainsift.evaluate.confusion import binary_confusion, bootstrap_table, confusion
from brainsift.evaluate.intervals import bootstrap
from brainsift.evaluate.rates import accuracy, balanced_accuracy


def test_rows_are_the_truth_and_columns_the_answer() -> None:
    table = confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])
    assert table.total.tolist() == [[1, 1], [0, 1]]
    assert (table.n, table.people) == (3, 3)


def test_missing_values_are_left_out_on_either_side() -> None:
    table = binary_confusion([True, None, False, np.nan, True], [True, True, None, False, False])
    assert table.total.tolist() == [[0, 0], [1, 1]]


def test_scans_of_one_person_share_a_table() -> None:
    table = binary_confusion([True, True, False], [True, False, False], groups=["x", "x", "y"])
    assert table.people == 2
    assert table.by_person.sum(axis=(1, 2)).tolist() == [2, 1]


def test_an_unknown_class_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="FLAIR"):
        confusion(["T1w", "FLAIR"], ["T1w", "T1w"], ["T1w", "T2w"])


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="got 2 and 1"):
        confusion([1, 2], [1], [1, 2])
    with pytest.raises(ValueError, match="2 values and 3 people"):
        confusion([1, 2], [1, 2], [1, 2], ["a", "b", "c"])


def test_nothing_to_count_gives_an_empty_table() -> None:
    table = binary_confusion([None], [True])
    assert (table.n, table.people, table.total.shape) == (0, 0, (2, 2))
    interval = bootstrap_table(table, accuracy)
    assert math.isnan(interval.value)
    assert math.isnan(interval.low)


def test_drawing_kinds_of_people_equals_drawing_people() -> None:
    rng = np.random.default_rng(0)
    right = rng.random(90) < 0.8
    people = np.repeat(np.arange(30), 3)
    table = binary_confusion(np.ones(90, bool), right, people.tolist())
    ours, slow = bootstrap_table(table, accuracy), bootstrap(right, groups=people.tolist())
    assert ours.value == pytest.approx(slow.value)
    assert (ours.low, ours.high) == pytest.approx((slow.low, slow.high), abs=0.02)
    assert (ours.n, ours.groups) == (90, 30)


def test_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for draw in range(100):
        truth = rng.random(150) < 0.4
        answers = np.where(rng.random(150) < np.where(truth, 0.9, 0.7), truth, ~truth)
        interval = bootstrap_table(binary_confusion(truth, answers), balanced_accuracy, seed=draw)
        hits += interval.low <= 0.8 <= interval.high
    assert 88 <= hits <= 100


def test_one_person_has_a_value_but_no_interval() -> None:
    interval = bootstrap_table(binary_confusion([True, True], [True, False], ["a", "a"]), accuracy)
    assert interval.value == 0.5
    assert math.isnan(interval.low)
