"""Metrics of classes against scikit-learn and against hand computation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from brainsift.evaluate import rates
from brainsift.evaluate.confusion import binary_confusion, confusion

HAND = np.array([[80.0, 20.0], [5.0, 45.0]])
"""100 true no, 50 true yes."""


def drawn(seed: int, classes: int, n: int = 120) -> tuple[list[int], list[int]]:
    """Truth, and answers that are right two times in three."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    answers = np.where(rng.random(n) < 0.67, truth, rng.integers(classes, size=n))
    return truth.tolist(), answers.tolist()


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_metrics_of_classes_equal_those_of_scikit_learn(seed: int, classes: int) -> None:
    truth, answers = drawn(seed, classes)
    total = confusion(truth, answers, range(classes)).total
    assert np.array_equal(total, reference.confusion_matrix(truth, answers))
    assert rates.accuracy(total) == pytest.approx(reference.accuracy_score(truth, answers))
    assert rates.balanced_accuracy(total) == pytest.approx(reference.balanced_accuracy_score(truth, answers))
    assert rates.mcc(total) == pytest.approx(reference.matthews_corrcoef(truth, answers))
    for ours, theirs in (("none", None), ("linear", "linear"), ("quadratic", "quadratic")):
        expected = reference.cohen_kappa_score(truth, answers, weights=theirs)
        assert rates.weighted_kappa(total, ours) == pytest.approx(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(5))
def test_sensitivity_and_specificity_equal_scikit_learns_recalls(seed: int) -> None:
    truth, answers = drawn(seed, 2)
    total = binary_confusion(truth, answers).total
    assert rates.sensitivity(total) == pytest.approx(reference.recall_score(truth, answers))
    assert rates.specificity(total) == pytest.approx(reference.recall_score(truth, answers, pos_label=0))


def test_hand_computed_case() -> None:
    assert rates.sensitivity(HAND) == pytest.approx(0.9)
    assert rates.specificity(HAND) == pytest.approx(0.8)
    assert rates.balanced_accuracy(HAND) == pytest.approx(0.85)
    assert rates.mcc(HAND) == pytest.approx((45 * 80 - 20 * 5) / math.sqrt(65 * 50 * 100 * 85))


def test_predictive_values_follow_bayes_at_the_stated_prevalence() -> None:
    assert rates.ppv(HAND, 1 / 3) == pytest.approx(45 / 65)
    assert rates.npv(HAND, 1 / 3) == pytest.approx(80 / 85)
    assert rates.ppv(HAND, 0.01) == pytest.approx(0.009 / (0.009 + 0.2 * 0.99))
    assert rates.ppv(HAND, 1.0) == 1
    assert rates.ppv(HAND, 0.0) == 0


@pytest.mark.parametrize("prevalence", [-0.1, 1.1])
def test_a_prevalence_that_is_no_share_is_refused(prevalence: float) -> None:
    with pytest.raises(ValueError, match="prevalence"):
        rates.ppv(HAND, prevalence)


def test_many_tables_are_measured_at_once() -> None:
    tables = np.stack([HAND, HAND.T, np.eye(2)])
    together = rates.mcc(tables)
    assert together.shape == (3,)
    assert together == pytest.approx([float(rates.mcc(one)) for one in tables])
    kappas = rates.weighted_kappa(tables)
    assert kappas == pytest.approx([float(rates.weighted_kappa(one)) for one in tables])


ONE_CLASS = np.array([[7.0, 3.0], [0.0, 0.0]])
CONSTANT_ANSWER = np.array([[7.0, 0.0], [3.0, 0.0]])
NOBODY = np.zeros((2, 2))


@pytest.mark.parametrize(
    ("metric", "of_one_class", "of_a_constant_answer"),
    [
        (rates.balanced_accuracy, math.nan, 0.5),
        (rates.sensitivity, math.nan, 0.0),
        (rates.specificity, 0.7, 1.0),
        (rates.mcc, math.nan, 0.0),
        (rates.weighted_kappa, 0.0, 0.0),
        (rates.accuracy, 0.7, 0.7),
    ],
)
def test_where_a_class_is_absent(metric: object, of_one_class: float, of_a_constant_answer: float) -> None:
    assert callable(metric)
    assert float(metric(ONE_CLASS)) == pytest.approx(of_one_class, nan_ok=True)
    assert float(metric(CONSTANT_ANSWER)) == pytest.approx(of_a_constant_answer, nan_ok=True)
    assert math.isnan(float(metric(NOBODY)))


def test_two_raters_who_both_say_one_thing_throughout_have_no_kappa() -> None:
    assert math.isnan(float(rates.weighted_kappa(np.diag([9.0, 0.0, 0.0]))))


def test_a_near_miss_costs_a_quarter_of_a_far_one() -> None:
    def loss(row: int, column: int) -> float:
        table = np.diag([10.0, 10.0, 10.0])
        table[row, column] += 1
        table[column, row] += 1
        return 1 - float(rates.weighted_kappa(table))

    assert loss(0, 2) / loss(0, 1) == pytest.approx(4, rel=0.1)


def test_an_absent_class_counts_for_nothing_in_the_mean_recall() -> None:
    table = np.zeros((3, 3))
    table[0, 0], table[1, 1], table[1, 2] = 4, 1, 1
    assert rates.balanced_accuracy(table) == pytest.approx((1 + 0.5) / 2)


def test_sensitivity_of_three_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="3 classes"):
        rates.sensitivity(np.eye(3))
