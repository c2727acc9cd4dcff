"""What counts of errors allow."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from brainsift.decide.bounds import labels_needed, upper_bound
from brainsift.evaluate.proportions import clopper_pearson


@pytest.mark.parametrize(("alpha", "labels"), [(0.01, 299), (0.02, 149), (0.05, 59), (0.10, 29)])
def test_labels_that_a_promise_takes_when_no_error_is_seen(alpha: float, labels: int) -> None:
    assert labels_needed(alpha, 0.05) == labels
    assert upper_bound(0, labels, 0.05) <= alpha < upper_bound(0, labels - 1, 0.05)


@pytest.mark.parametrize(("errors", "labels"), [(1, 93), (2, 124), (3, 153)])
def test_each_error_seen_costs_more_labels(errors: int, labels: int) -> None:
    assert labels_needed(0.05, 0.05, errors) == labels
    assert upper_bound(errors, labels, 0.05) <= 0.05 < upper_bound(errors, labels - 1, 0.05)


@pytest.mark.parametrize(("errors", "n"), [(0, 1), (0, 59), (1, 10), (9, 10), (3, 400)])
def test_the_bound_is_scipys_and_that_of_the_reports(errors: int, n: int) -> None:
    expected = binomtest(errors, n, alternative="less").proportion_ci(0.95, method="exact").high
    assert upper_bound(errors, n, 0.05) == pytest.approx(expected)
    assert upper_bound(errors, n, 0.025) == pytest.approx(clopper_pearson(errors, n, 0.95).high)


def test_of_nobody_or_of_errors_alone_nothing_can_be_promised() -> None:
    assert upper_bound(0, 0, 0.05) == 1
    assert upper_bound(5, 5, 0.05) == 1


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 1.0}, {"delta": 0.0}, {"errors": -1}])
def test_promises_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        labels_needed(**{"alpha": 0.05, **wrong})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="errors"):
        upper_bound(2, 1, 0.05)
