"""Where a scan stands: newer files before people's word, people's word before the machine's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from brainsift.decide.decision import Action
from brainsift.engine.defacing.attempts import Attempt, Chains, add_attempt, attempt_name, ledger_path, read_attempts
from brainsift.engine.defacing.listing import COLUMNS, grouped, suggested_command, write_listing
from brainsift.engine.defacing.standing import Standing, State, standings
from brainsift.store.errors import StoreError
from brainsift.tasks.defacing.remedy import REMEDIES
from tests.engine.defacing.study import Study, record_of


def note(kind: str, origin: str, number: int, scan: str | None = None) -> Attempt:
    return Attempt(
        kind=kind,  # type: ignore[arg-type]
        origin=origin,
        parent=origin,
        parent_sha256="0" * 64,
        number=number,
        scan=scan,
        at=datetime.now(UTC),
    )


def one(study: Study) -> Standing:
    (found,) = standings(study.database, read_attempts(study.output))
    return found


@pytest.mark.parametrize(
    ("action", "choice", "fields", "state", "by"),
    [
        (Action.ACCEPT, None, {}, State.WAITING, "machine"),  # a likely pass waits for a signature
        (Action.REFER, None, {}, State.WAITING, "machine"),
        (Action.REJECT, None, {}, State.REMEDY, "machine"),
        (Action.REJECT, "correct", {}, State.PASSED, "person"),  # people overrule the machine, both ways
        (Action.ACCEPT, "excessive", {}, State.REMEDY, "person"),
        (Action.REFER, "failed", {"cannot_be_defaced": True}, State.GIVEN_UP, "person"),
    ],
)
def test_state_follows_from_machine_and_person(
    study: Study, action: Action, choice: str | None, fields: dict[str, bool], state: State, by: str
) -> None:
    sha256 = study.add("a_T1w.nii", action, label="failed")
    if choice is not None:
        study.say("a_T1w.nii", sha256, choice, **fields)
    standing = one(study)
    assert (standing.state, standing.by) == (state, by)


def test_what_a_person_saw_left_decides_the_remedy(study: Study) -> None:
    sha256 = study.add("a_T1w.nii", Action.REJECT, label="failed", flags=("not_applied", "nose"))
    assert one(study).remedy.kind == "apply"
    study.say("a_T1w.nii", sha256, "insufficient", ears=True)
    assert one(study).left == ("ears",)
    assert one(study).remedy.kind == "ears"


def test_a_newer_file_replaces_its_scan(study: Study) -> None:
    study.add("a_T1w.nii", Action.REJECT, label="insufficient")
    add_attempt(study.output, note("made", "a_T1w.nii", 2, "brainsift-attempts/a_T1w_attempt-2.nii"))
    study.keep(record_of("brainsift-attempts/a_T1w_attempt-2.nii", "b" * 64, Action.REJECT, "excessive"))
    states = {s.record.scan: (s.state, s.number) for s in standings(study.database, read_attempts(study.output))}
    assert states == {
        "a_T1w.nii": (State.SUPERSEDED, 1),
        "brainsift-attempts/a_T1w_attempt-2.nii": (State.REMEDY, 2),
    }


def test_given_up_is_the_end_unless_a_person_passes_it(study: Study) -> None:
    sha256 = study.add("a_T1w.nii", Action.REJECT, label="failed")
    add_attempt(study.output, note("given_up", "a_T1w.nii", 3))
    assert one(study).state is State.GIVEN_UP
    study.say("a_T1w.nii", sha256, "correct")
    assert one(study).state is State.PASSED


def test_chains_know_the_way_back() -> None:
    second, third = attempt_name("x/a.nii.gz", 2), attempt_name("x/a.nii.gz", 3)
    made = [
        note("made", "x/a.nii.gz", 2, second),
        note("failed", "x/a.nii.gz", 3),
        note("made", "x/a.nii.gz", 4, third),
    ]
    chains = Chains(made)
    assert second == "brainsift-attempts/x/a_attempt-2.nii.gz"
    assert chains.origin(third) == "x/a.nii.gz"
    assert chains.newest("x/a.nii.gz") == third
    assert chains.next_number("x/a.nii.gz") == 5
    assert chains.next_number("other.nii") == 2


def test_a_damaged_ledger_is_refused_and_not_begun_anew(tmp_path: Path) -> None:
    add_attempt(tmp_path, note("given_up", "a.nii", 3))
    with ledger_path(tmp_path).open("a") as file:
        file.write("{broken\n")
    with pytest.raises(StoreError, match="line 2"):
        read_attempts(tmp_path)


def test_the_list_groups_failures_with_commands(study: Study) -> None:
    for number, label in enumerate(["excessive", "insufficient", "insufficient", "correct"]):
        action = Action.ACCEPT if label == "correct" else Action.REJECT
        study.add(f"s{number}_T1w.nii", action, seed=number, label=label, flags=("nose",))
    found = list(standings(study.database, Chains()))
    assert {kind: len(scans) for kind, scans in grouped(found).items()} == {
        "move_towards_brain": 2,
        "move_away_from_brain": 1,
    }
    lines = write_listing(found, study.output).read_text().splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert len(lines) == 4
    assert "fsl_deface IN OUT -nud 0 5 -5" in "\n".join(lines)


def test_a_tool_without_a_setting_that_helps_gets_no_command() -> None:
    assert suggested_command("mri_deface", REMEDIES["move_away_from_brain"]) == ""
    assert suggested_command("quickshear", REMEDIES["move_away_from_brain"]) == "quickshear IN BRAIN_MASK OUT 15"
