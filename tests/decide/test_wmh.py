"""Which lesion volumes are taken as measured, and which scans are not asked for them."""

from __future__ import annotations

import pytest

from brainsift.decide.decision import Action
from brainsift.decide.prerequisites import why_not_asked
from brainsift.decide.rules import decide
from brainsift.decide.wmh import REFERRED_FLAGS, decide_wmh
from brainsift.tasks.base import Finding
from tests.decide.parts import quality

MEASURED = Finding(task="wmh", label="lesions", measurements={"volume_ml": 4.2}, model_sha256="a" * 64)


def integrity(sequence: str = "T1w") -> Finding:
    return Finding(task="integrity", label="image", measurements={"sequence": sequence})


def test_a_measurement_that_nothing_speaks_against_is_accepted_provisionally() -> None:
    decision = decide(MEASURED)
    assert decision is not None
    assert (decision.action, decision.rule, decision.provisional) == (Action.ACCEPT, "measured", True)


@pytest.mark.parametrize("flag", REFERRED_FLAGS)
def test_each_doubt_sends_the_scan_to_a_person_with_its_reason(flag: str) -> None:
    decision = decide_wmh(MEASURED.model_copy(update={"flags": (flag, "told_only")}))
    assert (decision.action, decision.rule) == (Action.REFER, flag)
    assert REFERRED_FLAGS[flag] in decision.reason


def test_a_flag_that_is_only_told_refers_nothing() -> None:
    assert decide_wmh(MEASURED.model_copy(update={"flags": ("told_only",)})).action is Action.ACCEPT


def test_only_lesion_findings_are_decided_here() -> None:
    with pytest.raises(ValueError, match="quality"):
        decide_wmh(quality())


def test_a_good_t1w_is_asked_with_and_without_its_quality() -> None:
    assert why_not_asked("wmh", [integrity()]) is None
    assert why_not_asked("wmh", [integrity(), quality(measurements={"gadolinium": False})]) is None
    assert why_not_asked("wmh", []) is None


@pytest.mark.parametrize("sequence", ["FLAIR", "T2w", "T2starw", "unknown"])
def test_other_sequences_are_not_asked(sequence: str) -> None:
    told = why_not_asked("wmh", [integrity(sequence)])
    assert told is not None
    assert sequence in told
    assert why_not_asked("quality", [integrity(sequence)]) is None


@pytest.mark.parametrize("witness", ["name", "header"])
def test_what_name_or_header_call_a_gradient_echo_is_not_asked_though_it_looks_like_t1w(witness: str) -> None:
    looks_t1w = integrity().model_copy(
        update={"measurements": {"sequence": "T1w", f"sequence_from_{witness}": "T2starw"}}
    )
    told = why_not_asked("wmh", [looks_t1w])
    assert told is not None
    assert "call this one T2starw" in told
    named_t1w = integrity().model_copy(update={"measurements": {"sequence": "T1w", f"sequence_from_{witness}": "T1w"}})
    assert why_not_asked("wmh", [named_t1w]) is None


def test_what_quality_rejects_is_not_asked_and_what_it_doubts_is() -> None:
    told = why_not_asked("wmh", [integrity(), quality(proper=0.01)])
    assert told is not None
    assert "not a proper scan" in told.lower()
    assert why_not_asked("wmh", [integrity(), quality(motion=0.999)]) is not None
    assert why_not_asked("wmh", [integrity(), quality(proper=0.4)]) is None
    assert why_not_asked("wmh", [integrity(), quality(flags=("out_of_distribution",))]) is None


def test_contrast_agent_is_a_reason_with_its_probability() -> None:
    given = quality(measurements={"gadolinium": True})
    told = why_not_asked("wmh", [integrity(), given])
    assert told is not None
    assert "10%" in told
