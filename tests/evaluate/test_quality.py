"""The quality questions: what counts as yes, which scans are asked about, and what is reported."""

from __future__ import annotations

import math

import pytest

from brainsift.evaluate.answered import Answered
from brainsift.evaluate.labels import Label
from brainsift.evaluate.proportions import clopper_pearson
from brainsift.evaluate.quality import Measured, measure_quality
from brainsift.evaluate.questions import questions, usable
from brainsift.evaluate.raters import rater_agreement


def answered(
    number: int = 0, truth: dict[str, object] | None = None, action: str | None = None, **said: int
) -> Answered:
    """A proper scan that the machine calls proper, with the grades that it is said to give."""
    grades = {name: said.get(name, 0) for name in ("motion", "noise", "contrast")}
    proper = said.get("proper", 1)
    severe = {f"{name}_severe": 0.9 if grade == 2 else 0.1 for name, grade in grades.items()}
    moderate = {f"{name}_moderate": 0.8 if grade else 0.2 for name, grade in grades.items()}
    return Answered(
        truth=Label.model_validate({"scan": f"s{number}", **(truth or {})}),
        person=f"p{number}",
        label="proper" if proper else "improper",
        probabilities={"proper": 0.9 if proper else 0.1, "gadolinium": 0.2, **severe, **moderate},
        measurements={f"{name}_grade": grade if proper else None for name, grade in grades.items()}
        | {"tier": 1 + max(grades.values()) if proper else None, "sequence": "T1w"},
        action=action,
    )


GOOD = {"proper": True, "motion": 0, "noise": 0, "contrast": 0}


def found(figures: list[Measured], question: str, metric: str) -> Measured:
    return next(one for one in figures if (one.question, one.metric) == (question, metric))


@pytest.mark.parametrize(
    ("question", "scan", "truth", "guess"),
    [
        ("improper", answered(truth={"proper": False}), True, False),
        ("improper", answered(truth={"proper": True}, proper=0), False, True),
        ("improper", answered(), None, False),
        ("gadolinium", answered(truth={"gadolinium": True}), True, False),
        ("motion_severe", answered(truth=GOOD | {"motion": 2}, motion=1), True, False),
        ("motion_severe", answered(truth={"proper": False, "motion": 2}), None, False),
        ("motion_severe", answered(truth=GOOD | {"motion": 2}, motion=2, proper=0), True, True),
        ("motion_severe", answered(truth=GOOD, motion=1, proper=0), False, False),
        ("motion_mild", answered(truth={"motion": 1}, motion=2), True, True),
        ("motion_mild", answered(truth={"motion": 2}, motion=2), None, True),
        ("tier_3", answered(truth={"noise": 2}, noise=2), True, True),
        ("tier_3", answered(truth=GOOD, proper=0), False, True),
        ("tier_3", answered(truth={"noise": 1}), None, False),
        ("tier_2", answered(truth=GOOD | {"contrast": 1}, contrast=1), True, True),
        ("tier_2", answered(truth=GOOD | {"contrast": 2}), None, False),
    ],
)
def test_what_people_and_machine_say_to_a_question(
    question: str, scan: Answered, truth: bool | None, guess: bool
) -> None:
    asked = next(one for one in questions() if one.name == question)
    assert asked.truth(scan) is truth
    assert asked.guess(scan) is guess


def test_each_question_has_its_metrics_with_intervals_and_counts() -> None:
    scans = [answered(i, GOOD | {"motion": 2 if i < 20 else 0}, motion=2 if i < 18 or i > 47 else 0) for i in range(50)]
    figures = measure_quality(scans)
    sensitivity = found(figures, "motion_severe", "sensitivity")
    assert sensitivity.interval == clopper_pearson(18, 20)
    assert sensitivity.yes == 20
    assert found(figures, "motion_severe", "specificity").interval == clopper_pearson(28, 30)
    assert found(figures, "motion_severe", "balanced_accuracy").interval.value == pytest.approx((0.9 + 28 / 30) / 2)
    assert found(figures, "motion_severe", "auc").interval.value == pytest.approx((0.9 + 28 / 30) / 2)
    ppv = found(figures, "motion_severe", "ppv")
    assert (ppv.interval.value, ppv.prevalence) == (pytest.approx(18 / 20), 0.4)
    assert found(figures, "motion", "weighted_kappa").interval.n == 50
    assert {one.question for one in figures} >= {"improper", "tier_3", "tier_2", "tier", "noise_mild"}


def test_predictive_values_are_given_for_the_prevalence_that_was_stated() -> None:
    scans = [answered(i, {"proper": i % 2 == 0}, proper=int(i % 2 == 0 or i < 20)) for i in range(200)]
    ppv = found(measure_quality(scans, {"improper": 0.01}), "improper", "ppv")
    assert ppv.prevalence == 0.01
    npv = found(measure_quality(scans, {"improper": 0.01}), "improper", "npv")
    assert npv.interval.value == pytest.approx(0.99 / (0.99 + 0.1 * 0.01))


def test_a_question_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="got luck"):
        measure_quality([answered(truth=GOOD)], {"luck": 0.5})


def test_questions_that_no_label_answers_are_not_reported() -> None:
    assert measure_quality([answered(i) for i in range(5)]) == []
    assert measure_quality([]) == []
    only = measure_quality([answered(i, {"noise": i % 2}) for i in range(10)])
    assert {one.question for one in only} == {"noise_severe", "noise_mild", "noise"}


def test_sequences_are_compared_as_classes() -> None:
    scans = [answered(i, {"sequence": "T1w" if i < 8 else "FLAIR"}) for i in range(10)]
    figures = measure_quality(scans)
    assert found(figures, "sequence", "accuracy").interval == clopper_pearson(8, 10)
    assert found(figures, "sequence", "balanced_accuracy").interval.value == 0.5


def test_automatic_decisions_are_held_to_what_people_would_use() -> None:
    scans = [
        answered(i, GOOD | {"motion": 2 if i < 3 else 0}, action="accept" if i < 30 else "refer") for i in range(40)
    ]
    figures = measure_quality(scans)
    assert found(figures, "decisions", "decided").interval == clopper_pearson(30, 40)
    assert found(figures, "decisions", "wrong_among_accepted").interval == clopper_pearson(3, 30)
    assert not [one for one in figures if one.metric == "wrong_among_rejected"]


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        ({"proper": False}, False),
        (GOOD, True),
        (GOOD | {"noise": 2}, False),
        ({"proper": True}, True),
        ({"proper": True, "motion": 1}, None),
        ({}, None),
    ],
)
def test_a_scan_is_usable_if_proper_and_not_of_tier_3(truth: dict[str, object], expected: bool | None) -> None:
    assert usable(answered(truth=truth)) is expected


def test_raters_are_compared_with_each_other_and_with_the_machine() -> None:
    labels = [
        Label(scan=f"s{i}", participant=f"p{i}", motion=grade, rater=rater)
        for i in range(30)
        for rater, grade in (("x", i % 3), ("y", i % 3 if i < 27 else 0))
    ]
    machine = {f"s{i}": {"motion": 2 - i % 3, "noise": None} for i in range(30)}
    figures = {one.metric: one.interval for one in rater_agreement(labels, machine)}
    assert set(figures) == {"kappa x / y", "kappa machine / x", "kappa machine / y"}
    assert 0.6 < figures["kappa x / y"].value < 1
    assert figures["kappa x / y"].n == 30
    assert figures["kappa machine / x"].value == pytest.approx(-1)
    assert rater_agreement([label.model_copy(update={"rater": None}) for label in labels[::2]], machine) == []


def test_missing_numbers_are_no_answers() -> None:
    scan = answered(truth=GOOD)
    assert math.isnan(scan.probability("sharpness"))
    assert math.isnan(scan.number("sequence"))
