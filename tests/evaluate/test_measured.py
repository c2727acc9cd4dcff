"""Which interval goes with which metric."""

from __future__ import annotations

import math

import numpy as np
import pytest

from brainsift.evaluate.confusion import binary_confusion, confusion
from brainsift.evaluate.measured import (
    accuracy_interval,
    balanced_accuracy_interval,
    kappa_interval,
    mcc_interval,
    predictive_values,
    recall_interval,
)
from brainsift.evaluate.proportions import clopper_pearson

TRUTH = [True] * 20 + [False] * 30
ANSWERS = [True] * 18 + [False] * 2 + [False] * 27 + [True] * 3


def test_recall_is_exact_where_each_person_has_one_scan() -> None:
    interval = recall_interval(binary_confusion(TRUTH, ANSWERS), 1)
    assert interval == clopper_pearson(18, 20)
    assert recall_interval(binary_confusion(TRUTH, ANSWERS), 0) == clopper_pearson(27, 30)


def test_recall_of_people_with_several_scans_resamples_them() -> None:
    truth, answers = np.repeat(TRUTH, 5), np.repeat(ANSWERS, 5)
    people = np.repeat(np.arange(50), 5).tolist()
    grouped = recall_interval(binary_confusion(truth, answers, people), 1)
    ignoring = recall_interval(binary_confusion(truth, answers), 1)
    assert (grouped.method, grouped.n, grouped.groups) == ("bootstrap", 100, 20)
    assert grouped.high - grouped.low > 1.5 * (ignoring.high - ignoring.low)


def test_scans_that_are_all_right_are_worth_as_many_people_as_there_are() -> None:
    table = binary_confusion([True] * 40, [True] * 40, [f"p{i % 10}" for i in range(40)])
    interval = recall_interval(table, 1)
    assert interval.value == 1
    assert interval.low == pytest.approx(clopper_pearson(10, 10).low)


def test_balanced_accuracy_without_a_fault_still_has_a_lower_bound() -> None:
    interval = balanced_accuracy_interval(binary_confusion(TRUTH, TRUTH))
    assert interval.value == 1
    each = [clopper_pearson(20, 20, 0.975).low, clopper_pearson(30, 30, 0.975).low]
    assert interval.low == pytest.approx(sum(each) / 2)
    assert interval.method == "exact by class"


def test_balanced_accuracy_of_several_classes() -> None:
    table = confusion([0, 0, 1, 1, 2, 2] * 10, [0, 0, 1, 0, 2, 1] * 10, (0, 1, 2))
    interval = balanced_accuracy_interval(table)
    assert interval.value == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert interval.low < interval.value < interval.high


def test_predictive_values_have_intervals_at_the_stated_prevalence() -> None:
    ppv, npv = predictive_values(binary_confusion(TRUTH, ANSWERS), 0.2)
    assert ppv.value == pytest.approx(0.9 * 0.2 / (0.9 * 0.2 + 0.1 * 0.8))
    assert npv.value == pytest.approx(0.9 * 0.8 / (0.9 * 0.8 + 0.1 * 0.2))
    assert ppv.low < ppv.value < ppv.high
    perfect, _ = predictive_values(binary_confusion(TRUTH, TRUTH), 0.2)
    assert perfect.value == 1
    assert 0 < perfect.low < 1


def test_agreement_without_a_fault_has_no_interval() -> None:
    table = binary_confusion(TRUTH, TRUTH)
    assert kappa_interval(table).value == 1
    assert math.isnan(kappa_interval(table).low)
    assert math.isnan(mcc_interval(table).low)


def test_accuracy_is_exact_or_resampled() -> None:
    assert accuracy_interval(binary_confusion(TRUTH, ANSWERS)) == clopper_pearson(45, 50)
    paired = binary_confusion(TRUTH, ANSWERS, [i // 2 for i in range(50)])
    assert accuracy_interval(paired).method == "bootstrap"


@pytest.mark.parametrize("truth", [[], [True, True]])
def test_without_both_classes_there_is_no_balanced_accuracy(truth: list[bool]) -> None:
    interval = balanced_accuracy_interval(binary_confusion(truth, truth))
    assert math.isnan(interval.value)
    assert math.isnan(interval.low)
