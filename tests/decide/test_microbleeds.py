"""Which counts of microbleeds are taken as found, and which scans are asked for them."""

from __future__ import annotations

import pytest

from brainsift.decide.decision import Action
from brainsift.decide.microbleeds import REFERRED_FLAGS, decide_microbleeds
from brainsift.decide.prerequisites import why_not_asked
from brainsift.decide.rules import decide
from brainsift.tasks.base import Finding
from tests.decide.parts import quality

COUNTED = Finding(task="microbleeds", label="microbleeds", measurements={"count": 3}, model_sha256="a" * 64)


def integrity(sequence: str, *, header: str | None = None, name: str | None = None) -> Finding:
    said = {"sequence": sequence, "sequence_from_header": header, "sequence_from_name": name}
    return Finding(task="integrity", label="image", measurements=said)


def test_a_count_that_nothing_speaks_against_is_accepted_provisionally() -> None:
    decision = decide(COUNTED)
    assert decision is not None
    assert (decision.action, decision.rule, decision.provisional) == (Action.ACCEPT, "counted", True)


@pytest.mark.parametrize("flag", REFERRED_FLAGS)
def test_each_doubt_sends_the_scan_to_a_person_with_its_reason(flag: str) -> None:
    decision = decide(COUNTED.model_copy(update={"flags": (flag, "told_only")}))
    assert decision is not None
    assert (decision.action, decision.rule) == (Action.REFER, flag)
    assert REFERRED_FLAGS[flag] in decision.reason


def test_only_microbleeds_findings_are_decided_here() -> None:
    with pytest.raises(ValueError, match="quality"):
        decide_microbleeds(quality())


@pytest.mark.parametrize(
    "found",
    [
        integrity("T2starw"),
        integrity("Chimap"),
        integrity("T1w", name="T2starw"),  # a T1-weighted gradient echo: the task itself looks closer
        integrity("T1w", header="T2starw"),
    ],
)
def test_gre_swi_and_qsm_are_asked(found: Finding) -> None:
    assert why_not_asked("microbleeds", [found]) is None


def test_without_integrity_nothing_speaks_against_it() -> None:
    assert why_not_asked("microbleeds", []) is None


@pytest.mark.parametrize("found", [integrity("T1w"), integrity("FLAIR"), integrity("phase", name="T2starw")])
def test_others_are_not_asked_and_the_reason_names_what_they_are(found: Finding) -> None:
    told = why_not_asked("microbleeds", [found])
    assert told is not None
    assert str(found.measurements["sequence"]) in told


def test_a_scan_of_which_nothing_is_known_is_to_be_named() -> None:
    told = why_not_asked("microbleeds", [integrity("unknown")])
    assert told is not None
    assert "name it so" in told
