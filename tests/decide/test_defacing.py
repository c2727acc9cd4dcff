"""Which list a defacing goes to; none of them releases anything."""

from __future__ import annotations

from typing import Any

import pytest

from brainsift.decide.decision import Action
from brainsift.decide.defacing import LISTS, REFERRED_FLAGS, decide_defacing
from brainsift.decide.rules import decide
from brainsift.tasks.base import Finding


def finding(correct: float, label: str = "correct", flags: tuple[str, ...] = (), **changes: Any) -> Finding:
    """Of the failures, `label` is the likeliest by far."""
    failures = ("insufficient", "excessive", "failed")
    rest = (1 - correct) * 0.1
    probabilities = {"correct": correct, **dict.fromkeys(failures, rest / 2)}
    probabilities[label if label in failures else "failed"] = (1 - correct) * 0.9
    values: dict[str, Any] = {"task": "defacing", "label": label, "probabilities": probabilities, "flags": flags}
    return Finding(**{**values, **changes})


@pytest.mark.parametrize(
    ("correct", "label", "flags", "action", "rule"),
    [
        (0.97, "correct", (), Action.ACCEPT, "good_probability"),
        (0.80, "correct", (), Action.REFER, "good_probability"),
        (0.01, "excessive", (), Action.REJECT, "good_probability"),
        (0.01, "failed", ("not_applied", "nose"), Action.REJECT, "good_probability"),
        (0.01, "insufficient", ("nose", "ears"), Action.REJECT, "good_probability"),
        (0.01, "insufficient", ("eyes", "mouth"), Action.REJECT, "good_probability"),
        # What only policy can decide is not decided here.
        (0.01, "insufficient", ("ears",), Action.REFER, "ears_alone"),
        (0.01, "insufficient", ("brow",), Action.REFER, "ears_alone"),
        (0.01, "insufficient", ("eyes", "ears", "brow"), Action.REFER, "eyes_alone"),
        (0.01, "failed", ("eyes",), Action.REJECT, "good_probability"),
        # A file that is the original needs no probability.
        (0.99, "failed", ("identical_to_original",), Action.REJECT, "identical"),
        (0.99, "no_head", ("skull_stripped",), Action.REFER, "no_head"),
        # Out of view is reported, and a person verifies anyway.
        (0.97, "correct", ("no_face_in_view",), Action.ACCEPT, "good_probability"),
    ],
)
def test_list_follows_from_probability_and_flags(
    correct: float, label: str, flags: tuple[str, ...], action: Action, rule: str
) -> None:
    decision = decide_defacing(finding(correct, label, flags))
    assert (decision.action, decision.rule) == (action, rule)


@pytest.mark.parametrize("flag", sorted(REFERRED_FLAGS))
@pytest.mark.parametrize("correct", [0.001, 0.999])
def test_doubt_refers_however_sure_the_network_is(flag: str, correct: float) -> None:
    decision = decide_defacing(finding(correct, flags=(flag,)))
    assert (decision.action, decision.rule) == (Action.REFER, "doubt")
    assert REFERRED_FLAGS[flag] in decision.reason


def test_without_a_usable_probability_a_person_looks() -> None:
    assert decide_defacing(finding(0.9, probabilities={})).action is Action.REFER


def test_a_failure_of_unclear_kind_is_looked_at() -> None:
    either = {"correct": 0.01, "insufficient": 0.02, "excessive": 0.47, "failed": 0.5}
    decision = decide_defacing(finding(0.01, "failed", ("nose",), probabilities=either))
    assert (decision.action, decision.rule) == (Action.REFER, "kind_unsure")


def test_the_general_rule_knows_the_task() -> None:
    decision = decide(finding(0.01, "insufficient", ("ears",)))
    assert decision is not None
    assert decision.rule == "ears_alone"


def test_every_action_has_a_list_for_people() -> None:
    assert set(LISTS) == set(Action)
    assert LISTS[Action.ACCEPT] == "verify"


def test_another_task_is_refused() -> None:
    with pytest.raises(ValueError, match="quality"):
        decide_defacing(finding(0.5, task="quality"))
