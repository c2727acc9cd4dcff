"""Accept, reject or refer by probability."""

from __future__ import annotations

import math

import pytest

from brainsift.decide.calibration import Temperature
from brainsift.decide.decision import Action, Decision
from brainsift.decide.doubt import DOUBT_FLAGS
from brainsift.decide.provisional import PROVISIONAL
from brainsift.decide.route import decide_quality, decide_with, good_probability
from brainsift.decide.rules import decide
from brainsift.decide.stored import Calibration, Direction, Stratum
from brainsift.tasks.base import Finding
from tests.decide.parts import SHA, quality

PARTS = ("proper", "motion", "noise", "contrast")


def direction(threshold: float | None, provisional: bool = False) -> Direction:
    return Direction(threshold=threshold, provisional=provisional, alpha=0.05)


def stratum(accept: float | None, reject: float | None) -> Stratum:
    return Stratum(people=100, good=50, accept=direction(accept), reject=direction(reject))


def calibration(**changes: object) -> Calibration:
    values: dict[str, object] = {
        "task": "quality",
        "parts": PARTS,
        "model_sha256": SHA,
        "n": 100,
        "people": 100,
        "delta": 0.05,
        "pooled": stratum(0.8, 0.9),
    }
    return Calibration(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("finding", "action"),
    [
        (quality(proper=0.99), Action.ACCEPT),
        (quality(proper=0.81), Action.ACCEPT),
        (quality(proper=0.79), Action.REFER),
        (quality(proper=0.11), Action.REFER),
        (quality(proper=0.09), Action.REJECT),
        (quality(motion=0.95), Action.REJECT),
        (quality(noise=0.5), Action.REFER),
        (quality(contrast=0.15), Action.ACCEPT),
    ],
)
def test_a_scan_is_as_good_as_its_weakest_part(finding: Finding, action: Action) -> None:
    decision = decide_quality(finding, calibration())
    assert decision.action is action
    assert not decision.provisional
    assert decision.reason.endswith(".")


def test_reason_and_threshold_say_what_decided() -> None:
    rejected = decide_quality(quality(motion=0.95), calibration())
    assert "Severe motion" in rejected.reason
    assert rejected.threshold == pytest.approx(0.1)
    accepted = decide_quality(quality(), calibration())
    assert accepted.threshold == 0.8
    referred = decide_quality(quality(noise=0.5), calibration())
    assert "severe noise" in referred.reason
    assert referred.threshold is None


@pytest.mark.parametrize("proper", [0.5, 0.9, 0.94, 0.96, 0.03, 0.01])
def test_without_a_calibration_thresholds_are_strict_and_provisional(proper: float) -> None:
    decision = decide_quality(quality(proper=proper))
    expected = Action.REFER
    if proper >= PROVISIONAL["accept"]:
        expected = Action.ACCEPT
    elif 1 - proper >= PROVISIONAL["reject"]:
        expected = Action.REJECT
    assert decision.action is expected
    assert decision.provisional


def test_a_calibration_of_another_model_is_set_aside_and_said_so() -> None:
    decision = decide_quality(quality(proper=0.85, model_sha256="f" * 64), calibration())
    assert decision.action is Action.REFER
    assert decision.provisional
    assert "another model" in decision.reason


def test_a_direction_without_threshold_decides_nothing() -> None:
    shut = calibration(pooled=stratum(None, None))
    assert {decide_quality(quality(proper=p), shut).action for p in (0.0001, 0.5, 0.9999)} == {Action.REFER}


@pytest.mark.parametrize("flag", DOUBT_FLAGS)
def test_inputs_unlike_the_training_are_referred_however_sure_the_model_is(flag: str) -> None:
    decision = decide_quality(quality(proper=0.9999, flags=(flag,)), calibration())
    assert (decision.action, decision.rule) == (Action.REFER, "doubt")
    assert DOUBT_FLAGS[flag] in decision.reason


@pytest.mark.parametrize(
    ("measurements", "action"),
    [
        ({"confidence": 0.29}, Action.REFER),
        ({"confidence": math.nan}, Action.REFER),
        ({"confidence": 0.31}, Action.ACCEPT),
        ({"confidence": None}, Action.ACCEPT),
        ({"out_of_distribution": True}, Action.REFER),
        ({"out_of_distribution": False}, Action.ACCEPT),
        ({"snr": 9.0}, Action.ACCEPT),
        ({"snr": 11.0}, Action.REFER),
        ({"snr": math.nan}, Action.REFER),
    ],
)
def test_measurements_that_speak_against_believing_the_model(
    measurements: dict[str, float | bool | None], action: Action
) -> None:
    finding = quality(measurements=measurements)
    assert decide_quality(finding, calibration(limits={"snr": (0.0, 10.0)})).action is action


@pytest.mark.parametrize("probabilities", [{}, {"gadolinium": 0.5}, {"proper": math.nan}, {"proper": 0.99}])
def test_a_probability_that_is_missing_refers(probabilities: dict[str, float]) -> None:
    decision = decide_quality(quality().model_copy(update={"probabilities": probabilities}), calibration())
    assert (decision.action, decision.rule) == (Action.REFER, "no_score")


def test_a_likely_fault_that_the_calibration_does_not_cover_is_not_accepted() -> None:
    partial = calibration(parts=("proper",))
    decision = decide_quality(quality(motion=0.6), partial)
    assert (decision.action, decision.rule) == (Action.REFER, "outside_calibration")
    assert "severe motion" in decision.reason
    assert decide_quality(quality(motion=0.4), partial).action is Action.ACCEPT
    assert decide_quality(quality(proper=0.01, motion=0.6), partial).action is Action.REJECT


def by_sequence() -> Calibration:
    return calibration(by="sequence", strata={"T1w": stratum(0.6, 0.6)}, seen={"T1w": 100, "T2w": 5})


@pytest.mark.parametrize(
    ("sequence", "action", "provisional"),
    [
        ("T1w", Action.ACCEPT, False),
        ("T2w", Action.REFER, False),
        ("FLAIR", Action.REFER, True),
        (None, Action.REFER, True),
    ],
)
def test_each_stratum_has_its_thresholds_and_an_unlabelled_one_none(
    sequence: str | None, action: Action, provisional: bool
) -> None:
    finding = quality(proper=0.7, measurements={"sequence": sequence})
    decision = decide_with(finding, by_sequence())
    assert (decision.action, decision.provisional) == (action, provisional)
    assert decide_with(quality(proper=0.7), by_sequence(), sequence).action is action


def test_probabilities_are_calibrated_before_they_are_compared() -> None:
    cooled = calibration(probability=Temperature(temperature=3.0))
    assert decide_quality(quality(proper=0.9, motion=0, noise=0, contrast=0), cooled).action is Action.REFER
    assert good_probability(quality(proper=0.9), cooled) == pytest.approx(1 / (1 + 9 ** (-1 / 3)))
    assert good_probability(quality(proper=0.9), None) == 0.9
    assert good_probability(Finding(task="quality", label="proper"), None) is None


def test_where_both_directions_would_decide_a_person_does() -> None:
    assert decide_quality(quality(proper=0.5), calibration(pooled=stratum(0.5, 0.5))).action is Action.REFER


def test_findings_and_calibrations_of_other_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="'wmh'"):
        decide_quality(Finding(task="wmh", label="x"))
    with pytest.raises(ValueError, match="'integrity'"):
        decide_with(Finding(task="integrity", label="image"), None)
    with pytest.raises(ValueError, match="cannot decide about 'defacing'"):
        decide_with(Finding(task="defacing", label="correct"), calibration())


def test_the_defacing_task_is_decided_by_the_same_rule() -> None:
    finding = Finding(task="defacing", label="correct", probabilities={"correct": 0.97, "failed": 0.01})
    assert decide_with(finding, None).action is Action.ACCEPT


def test_the_engine_s_entry_takes_the_calibration_of_the_task() -> None:
    sure = quality(proper=0.85)
    assert decide(sure) == decide_quality(sure)
    with_calibration = decide(sure, {"quality": calibration()})
    assert isinstance(with_calibration, Decision)
    assert with_calibration.action is Action.ACCEPT
    assert decide(sure, {"quality": by_sequence()}, "T1w").action is Action.ACCEPT  # type: ignore[union-attr]
