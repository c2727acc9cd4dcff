"""Temperatures and isotonic regression against scikit-learn and against known distortions."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.isotonic import IsotonicRegression

from brainsift.decide.calibration import (
    Calibrator,
    Isotonic,
    Temperature,
    Unchanged,
    fit,
    fit_isotonic,
    fit_temperature,
)
from brainsift.decide.isotonic import isotonic_fit
from brainsift.decide.temperature import (
    COLDEST,
    HOTTEST,
    apply_binary,
    apply_classes,
    fit_binary,
    fit_classes,
    fit_ordinal,
)
from brainsift.evaluate.calibration_error import expected_calibration_error
from tests.decide.parts import draw


@pytest.mark.parametrize("boast", [0.5, 1.0, 3.0])
def test_the_temperature_is_how_much_too_sure_the_network_was(boast: float) -> None:
    p, truth = draw(20_000, seed=1, sharpness=1.5, boast=boast)
    assert fit_binary(p, truth) == pytest.approx(boast, rel=0.08)
    mended = fit_temperature(p, truth).apply(p)
    assert expected_calibration_error(truth, mended) < 0.02


def test_the_temperature_of_classes_equals_the_binary_one_for_two() -> None:
    p, truth = draw(2_000, seed=2, boast=2.0)
    pair = np.stack([1 - p, p], axis=1)
    assert fit_classes(pair, truth.astype(int)) == pytest.approx(fit_binary(p, truth), rel=1e-2)
    assert apply_classes(pair, 2.0)[:, 1] == pytest.approx(apply_binary(p, 2.0), abs=1e-5)


def test_the_temperature_of_three_classes_is_found_again() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 1.5, (8_000, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (rng.random((8_000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    boasting = apply_classes(p, 1 / 2.5)
    assert fit_classes(boasting, truth) == pytest.approx(2.5, rel=0.08)
    assert apply_classes(boasting, 2.5) == pytest.approx(p, abs=0.01)


def test_ordinal_probabilities_stay_in_order() -> None:
    rng = np.random.default_rng(4)
    odds = rng.normal(0, 2, 4_000)
    at_least = 1 / (1 + np.exp(-(odds[:, None] + np.array([1.0, -1.0]))))
    grades = (rng.random((4_000, 1)) < at_least).sum(axis=1)
    boasting = apply_binary(at_least, 0.5)
    temperature = fit_ordinal(boasting, grades)
    assert temperature == pytest.approx(2.0, rel=0.15)
    mended = apply_binary(boasting, temperature)
    assert (mended[:, 0] >= mended[:, 1]).all()


@pytest.mark.parametrize("people", [2, 40])
def test_where_nothing_was_wrong_the_temperature_stays_sober(people: int) -> None:
    half = people // 2
    right = fit_binary([0.9] * half + [0.1] * half, [True] * half + [False] * half)
    wrong = fit_binary([0.9] * half + [0.1] * half, [False] * half + [True] * half)
    assert 0.2 < right < 1 < wrong < HOTTEST
    assert right > COLDEST


def test_people_with_many_scans_weigh_as_much_as_others() -> None:
    p, truth = draw(300, seed=5, boast=2.0)
    often = np.repeat(np.arange(300), np.where(np.arange(300) < 30, 20, 1))
    weights = np.where(often < 30, 1 / 20, 1.0)
    assert fit_binary(p[often], truth[often], weights) == pytest.approx(fit_binary(p, truth), rel=1e-3)


def test_nothing_to_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        fit_binary([], [])
    with pytest.raises(ValueError, match="weights"):
        fit_binary([0.5, 0.5], [True, False], [1.0])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("digits", [1, 8])
@pytest.mark.parametrize("weighted", [False, True])
def test_isotonic_regression_equals_scikit_learns(seed: int, digits: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    x = np.round(rng.random(150), digits)
    y = (rng.random(150) < x).astype(float)
    weights = rng.uniform(0.2, 2, 150) if weighted else None
    reference = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weights)
    places, levels = isotonic_fit(x, y, weights)
    asked = np.linspace(-0.2, 1.2, 400)
    assert np.interp(asked, places, levels) == pytest.approx(reference.predict(asked), abs=1e-9)


def test_isotonic_regression_of_hand_computed_cases() -> None:
    places, levels = isotonic_fit([1, 2, 3, 4], [1, 3, 2, 4])
    assert np.interp([1, 2, 3, 4], places, levels).tolist() == [1, 2.5, 2.5, 4]
    assert isotonic_fit([1, 1], [0, 1])[1].tolist() == [0.5]
    assert np.interp([1, 2, 3], *isotonic_fit([1, 2, 3], [3, 2, 1])).tolist() == [2, 2, 2]
    with pytest.raises(ValueError, match="non-empty"):
        isotonic_fit([], [])


def test_isotonic_calibration_never_claims_certainty() -> None:
    curve = fit_isotonic([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    assert curve.apply([0.0, 1.0]).tolist() == pytest.approx([1 / 6, 5 / 6])


def test_isotonic_calibration_mends_what_a_temperature_cannot() -> None:
    p, truth = draw(6_000, seed=6, sharpness=1.5)
    bent = p**4
    mended = expected_calibration_error(truth, fit_isotonic(bent, truth).apply(bent))
    assert mended < 0.03 < expected_calibration_error(truth, fit_temperature(bent, truth).apply(bent))


@pytest.mark.parametrize(("people", "kind"), [(400, Temperature), (1200, Isotonic)])
def test_the_method_follows_the_number_of_people(people: int, kind: type) -> None:
    p, truth = draw(people, seed=7)
    assert isinstance(fit("auto", p, truth, np.ones(people)), kind)
    assert isinstance(fit("auto", np.tile(p, 4), np.tile(truth, 4), np.full(4 * people, 0.25)), kind)
    assert fit("none", p, truth, np.ones(people)) == Unchanged()


@pytest.mark.parametrize("one", [Unchanged(), Temperature(temperature=1.7), Isotonic(x=(0.1, 0.9), y=(0.2, 0.7))])
def test_calibrators_come_back_from_json(one: Calibrator) -> None:
    adapter: TypeAdapter[Calibrator] = TypeAdapter(Calibrator)
    assert adapter.validate_json(adapter.dump_json(one)) == one
