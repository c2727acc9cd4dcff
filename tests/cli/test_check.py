"""`brainsift check` and `brainsift report`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainsift.cli.check import is_accepted, tell
from brainsift.cli.exits import Exit
from brainsift.decide.decision import Action, Decision
from brainsift.store.record import InputFacts, Record
from tests.cli.conftest import Call
from tests.cli.test_run import write_scan
from tests.engine.quality_parts import calibration, write_calibration


def record_with(*actions: Action) -> Record:
    """A done record with one decision per action."""
    decisions = tuple(Decision(task="integrity", action=action, rule="r", reason="") for action in actions)
    facts = InputFacts(format="nifti1", size=1, fingerprint="1:1")
    return Record(scan="a.nii", stem="a", status="done", input=facts, decisions=decisions)


@pytest.mark.parametrize(
    ("actions", "accepted"),
    [
        ((Action.ACCEPT,), True),
        ((Action.ACCEPT, Action.REFER), False),
        ((Action.REJECT,), False),
    ],
)
def test_a_scan_is_accepted_only_if_every_decision_accepts_it(actions: tuple[Action, ...], accepted: bool) -> None:
    assert is_accepted(record_with(*actions)) is accepted


def test_noise_is_answered_in_words_with_exit_code_1_and_nothing_is_written(
    call: Call, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = write_scan(tmp_path / "one" / "noise.nii.gz")
    monkeypatch.chdir(scan.parent)
    answer = call("check", scan, "--shelf", shelf)
    assert answer.code == Exit.SCANS_FAILED
    assert "noise.nii.gz" in answer.out
    assert [path.name for path in scan.parent.iterdir()] == ["noise.nii.gz"]


def test_the_answer_as_json_is_the_record(call: Call, shelf: Path, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "noise.nii.gz")
    answer = call("check", scan, "--json", "--shelf", shelf)
    assert Record.model_validate(json.loads(answer.out)).scan == "noise.nii.gz"


def test_a_file_that_is_no_scan_is_answered_with_a_cause(call: Call, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.nii").write_bytes(b"")
    answer = call("check", tmp_path / "empty.nii", "--shelf", shelf)
    assert answer.code == Exit.SCANS_FAILED
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("verb", ["check", "report"])
def test_a_path_that_does_not_exist_is_usage(call: Call, tmp_path: Path, verb: str) -> None:
    answer = call(verb, tmp_path / "gone")
    assert answer.code == Exit.USAGE
    assert "gone" in answer.err.replace("\n", "")


def test_a_folder_without_scans_is_usage(call: Call, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no scan" in call("check", tmp_path / "empty", "--shelf", shelf).err.replace("\n", " ")


def test_report_makes_the_pages_again_without_scans_or_models(call: Call, shelf: Path, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "in" / "noise.nii.gz")
    output = tmp_path / "out"
    call("run", scan.parent, output, "-j", "1", "--shelf", shelf)
    pages = sorted([*output.rglob("*_report.html"), output / "index.html"])
    before = [page.read_bytes() for page in pages]
    for page in pages:
        page.unlink()
    scan.unlink()
    answer = call("report", output)
    assert answer.code == Exit.DONE, answer.err
    assert answer.out.strip() == str(output / "index.html")
    assert [page.read_bytes() for page in pages] == before


def test_report_of_a_folder_without_records_is_usage(call: Call, tmp_path: Path) -> None:
    answer = call("report", tmp_path)
    assert answer.code == Exit.USAGE
    assert "holds no records" in answer.err.replace("\n", " ")


def test_what_was_not_asked_is_said_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = record_with(Action.REJECT).model_copy(update={"not_asked": {"quality": "It is a mask, not an image."}})
    tell(skipped, as_json=False)
    assert "quality: not asked. It is a mask, not an image." in capsys.readouterr().out


def test_a_calibration_is_read_before_the_scan_and_a_broken_one_is_usage(
    call: Call, shelf: Path, tmp_path: Path
) -> None:
    scan = write_scan(tmp_path / "noise.nii.gz")
    broken = tmp_path / "broken.json"
    broken.write_text("{}", encoding="utf-8")
    refused = call("check", scan, "--shelf", shelf, "--calibration", broken)
    assert refused.code == Exit.USAGE
    assert "no valid calibration" in refused.err.replace("\n", " ")
    whole = write_calibration(tmp_path / "whole.json", calibration())
    answer = call("check", scan, "--json", "--shelf", shelf, "--calibration", whole, "--task", "integrity")
    assert Record.model_validate(json.loads(answer.out)).calibrations == {}, "nothing was decided with it"
