"""Figures of a group of scans, FROC and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from brainsift.evaluate.detection.froc import froc_curve, threshold_at, tpr_at
from brainsift.evaluate.detection.group import best_threshold, cross_fitted_thresholds, summarise
from brainsift.evaluate.detection.match import Match

INF = float("inf")


def scan(found: list[float], false: list[float], diameters: list[float] | None = None) -> Match:
    sizes = np.array(diameters if diameters is not None else [np.nan] * len(found), float)
    return Match(np.array(found, float), np.array(false, float), sizes, np.full(len(found), -1))


SCANS = [
    scan([0.9, 0.8, -INF], [0.3], [4, 2, 2]),
    scan([0.6], [0.7, 0.2], [5]),
    scan([], [0.5]),
    scan([], []),
]


def test_figures_of_a_group_by_hand() -> None:
    told = {(f.scans, f.metric, f.statistic): f.interval for f in summarise(SCANS)}
    assert told["all", "tpr", "pooled"].value == pytest.approx(3 / 4)
    assert told["all", "false_per_scan", "mean"].value == pytest.approx(4 / 4)
    assert told["no lesion", "false_per_scan", "mean"].value == pytest.approx(1 / 2)
    assert told["no lesion", "false_per_scan", "mean"].n == 2
    assert told["all", "precision", "pooled"].value == pytest.approx(3 / 7)
    assert told["all", "f1", "pooled"].value == pytest.approx(6 / (4 + 7))
    assert told["all", "count_error", "mean"].value == pytest.approx((0 + 2 + 1 + 0) / 4)
    assert told["all", "count_bias", "mean"].value == pytest.approx(3 / 4)
    assert told["all", "same_bin", "mean"].value == pytest.approx(3 / 4)
    assert told["3 mm and more", "tpr", "pooled"].value == 1
    assert told["below 3 mm", "tpr", "pooled"].value == pytest.approx(1 / 2)


def test_a_threshold_drops_marks_below_it() -> None:
    told = {(f.scans, f.metric): f.interval.value for f in summarise(SCANS, thresholds=0.65) if "at" not in f.statistic}
    assert told["all", "tpr"] == pytest.approx(2 / 4)
    assert told["all", "false_per_scan"] == pytest.approx(1 / 4)
    each = summarise(SCANS, thresholds=[0.65, 0.0, 0.0, 0.0])
    assert next(f for f in each if f.metric == "tpr").interval.value == pytest.approx(3 / 4)


def test_precision_is_undefined_where_nothing_is_marked_and_tpr_where_nothing_is_there() -> None:
    told = {f.metric: f.interval.value for f in summarise([scan([], []), scan([], [])])}
    assert np.isnan(told["tpr"])
    assert np.isnan(told["precision"])
    assert told["count_error"] == 0


def test_people_are_resampled_and_not_scans() -> None:
    """Every scan twice: as other people the interval shrinks, as the same it stays."""
    rng = np.random.default_rng(0)
    once = [scan([0.9] * int(rng.integers(0, 4)) + [-INF] * int(rng.integers(0, 3)), []) for _ in range(20)]
    people = list(range(20))
    first = summarise(once, people)[0].interval
    twice = summarise(once * 2, people * 2)[0].interval
    apart = summarise(once * 2)[0].interval
    assert twice.groups == 20
    assert twice.high - twice.low == pytest.approx(first.high - first.low, rel=0.1)
    assert apart.high - apart.low < 0.85 * (first.high - first.low)


def test_the_curve_goes_from_the_surest_mark_to_all() -> None:
    curve = froc_curve(SCANS)
    np.testing.assert_allclose(curve.threshold, [0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.2])
    np.testing.assert_allclose(curve.tpr, np.array([1, 2, 2, 3, 3, 3, 3]) / 4)
    np.testing.assert_allclose(curve.false_per_scan, np.array([0, 0, 1, 1, 2, 3, 4]) / 4)


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 2 / 4), (0.2, 2 / 4), (0.25, 3 / 4), (5, 3 / 4)])
def test_found_at_a_rate_of_false_marks(rate: float, expected: float) -> None:
    assert tpr_at(SCANS, rate).value == pytest.approx(expected)
    false = np.concatenate([one.false for one in SCANS])
    assert (false >= threshold_at(SCANS, rate)).sum() <= rate * len(SCANS)


def test_lesions_of_a_size_alone_can_be_asked_for() -> None:
    assert tpr_at(SCANS, 0.0, at_least_mm=3.0).value == pytest.approx(1 / 2)
    assert tpr_at(SCANS, 1.0, at_least_mm=3.0).value == 1


def test_the_interval_of_the_curve_holds_the_value_it_was_drawn_from() -> None:
    rng = np.random.default_rng(3)
    many = [scan(list(rng.beta(4, 2, 3)), list(rng.beta(2, 5, rng.poisson(2)))) for _ in range(60)]
    interval = tpr_at(many, 1.0)
    assert interval.low < interval.value < interval.high
    other = [scan(list(rng.beta(4, 2, 3)), list(rng.beta(2, 5, rng.poisson(2)))) for _ in range(600)]
    assert interval.low < tpr_at(other, 1.0).value < interval.high


def test_the_best_threshold_has_the_highest_f1() -> None:
    level = best_threshold(SCANS)
    scores = {t: 2 * h / (r + h + f) for t in np.linspace(0, 1, 101) for r, h, f in [total(t)]}
    assert scores[min(scores, key=lambda t: abs(t - level))] == max(scores.values())
    assert best_threshold([scan([], [0.5])]) == -INF


def total(threshold: float) -> tuple[int, ...]:
    return tuple(np.sum([one.counts(threshold) for one in SCANS], axis=0).tolist())


def test_a_fold_s_threshold_comes_from_the_other_folds() -> None:
    """Person b's scores lie elsewhere: the threshold for a is b's and the other way round."""
    a, b = scan([0.9, 0.8], [0.4]), scan([0.3, 0.25], [0.1])
    thresholds = cross_fitted_thresholds([a, b, a], ["a", "b", "a"], folds=2)
    assert thresholds[0] == thresholds[2] == best_threshold([b])
    assert thresholds[1] == best_threshold([a, a])
    with pytest.raises(ValueError, match="Folds"):
        cross_fitted_thresholds([a, a], ["a", "a"], folds=2)
