"""What follows from an integrity finding."""

from __future__ import annotations

import pytest

from brainsift.decide.decision import Action
from brainsift.decide.rules import CUT_REJECT_SHARE, REFERRED_FLAGS, REJECTED_LABELS, decide, decide_integrity
from brainsift.tasks.base import Finding


def integrity(label: str, *flags: str, **measurements: float) -> Finding:
    return Finding(task="integrity", label=label, flags=flags, measurements=dict(measurements))


def test_a_whole_sound_image_is_accepted() -> None:
    assert decide_integrity(integrity("image")).action is Action.ACCEPT


@pytest.mark.parametrize("label", REJECTED_LABELS)
def test_what_is_no_brain_scan_is_rejected_and_says_why(label: str) -> None:
    decision = decide_integrity(integrity(label))
    assert decision.action is Action.REJECT
    assert decision.reason
    assert not decision.provisional


@pytest.mark.parametrize("flag", REFERRED_FLAGS)
def test_a_doubtful_image_goes_to_a_person(flag: str) -> None:
    decision = decide_integrity(integrity("image", flag))
    assert (decision.action, decision.rule) == (Action.REFER, flag)


def test_a_missing_skull_is_reported_and_not_held_against_the_scan() -> None:
    assert decide_integrity(integrity("image", "skull_stripped")).action is Action.ACCEPT


def test_all_doubts_are_named() -> None:
    decision = decide_integrity(integrity("image", "clipped", "skull_stripped", "four_d"))
    assert decision.rule == "clipped+four_d"
    assert all(REFERRED_FLAGS[flag] in decision.reason.lower() for flag in ("four_d",))
    assert "clipped" in decision.reason


@pytest.mark.parametrize(
    ("share", "action"),
    [
        (0.05, Action.REFER),
        (CUT_REJECT_SHARE - 1e-6, Action.REFER),
        (CUT_REJECT_SHARE, Action.REJECT),
        (1.0, Action.REJECT),
    ],
)
def test_a_cut_brain_is_referred_until_too_much_of_it_is_missing(share: float, action: Action) -> None:
    decision = decide_integrity(integrity("cut", outside_fov=share))
    assert decision.action is action
    assert decision.threshold == CUT_REJECT_SHARE
    assert decision.provisional


def test_a_cut_brain_of_unknown_size_is_referred() -> None:
    assert decide_integrity(integrity("cut")).action is Action.REFER


def test_a_label_that_no_rule_knows_goes_to_a_person() -> None:
    assert decide_integrity(integrity("other")).action is Action.REFER


def test_a_task_without_a_rule_gets_no_decision() -> None:
    assert decide(Finding(task="unheard_of", label="x")) is None
    assert decide(integrity("image")) == decide_integrity(integrity("image"))


def test_the_integrity_rule_refuses_another_tasks_finding() -> None:
    with pytest.raises(ValueError, match="'wmh'"):
        decide_integrity(Finding(task="wmh", label="image"))


@pytest.mark.parametrize(
    ("labelled_ml", "action"), [(0.0, Action.REJECT), (60.0, Action.REJECT), (1100.0, Action.REFER)]
)
def test_a_brain_that_is_not_believed_goes_to_a_person_and_none_at_all_is_rejected(
    labelled_ml: float, action: Action
) -> None:
    decision = decide_integrity(integrity("no_brain", brain_ml=labelled_ml))
    assert decision.action is action
    assert decision.reason
