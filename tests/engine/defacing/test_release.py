"""Release: only what a person passed, byte for byte; anything else is told and left where it is."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brainsift.decide.decision import Action
from brainsift.engine.defacing.attempts import Attempt, add_attempt, read_attempts
from brainsift.engine.defacing.release import MANIFEST_NAME, SUMMARY_NAME, Release, copy_if_same, release
from brainsift.engine.defacing.standing import standings
from brainsift.engine.errors import RunError
from brainsift.scans.errors import ScanError
from tests.engine.defacing.study import Study, record_of, write_scan


def let_go(study: Study, target: Path) -> Release:
    chains = read_attempts(study.output)
    return release(standings(study.database, chains), chains, study.source, study.output, target, study.database)


def manifest(target: Path) -> list[dict[str, str]]:
    head, *rows = (target / MANIFEST_NAME).read_text().splitlines()
    return [dict(zip(head.split("\t"), row.split("\t"), strict=True)) for row in rows]


def test_only_what_a_person_passed_is_copied(study: Study, tmp_path: Path) -> None:
    passed = study.add("sub-01/anat/sub-01_T1w.nii.gz", seed=1)
    study.say("sub-01/anat/sub-01_T1w.nii.gz", passed, "correct")
    refused = study.add("sub-02/anat/sub-02_T1w.nii.gz", seed=2)
    study.say("sub-02/anat/sub-02_T1w.nii.gz", refused, "insufficient", ears=True)
    study.add("sub-03/anat/sub-03_T1w.nii.gz", seed=3)  # accepted by the machine, seen by nobody
    target = tmp_path / "public"
    made = let_go(study, target)
    copied = sorted(p.relative_to(target).as_posix() for p in target.rglob("*.nii.gz"))
    assert copied == ["sub-01/anat/sub-01_T1w.nii.gz"]
    assert hashlib.sha256((target / copied[0]).read_bytes()).hexdigest() == passed
    (row,) = manifest(target)
    assert (row["sha256"], row["passed_by"], row["attempt"]) == (passed, "ab", "1")
    assert made.states == {"passed": 1, "remedy": 1, "waiting": 1}


def test_a_file_changed_by_one_byte_is_withheld(study: Study, tmp_path: Path) -> None:
    sha256 = study.add("a_T1w.nii", seed=1)
    study.say("a_T1w.nii", sha256, "correct")
    path = study.source / "a_T1w.nii"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    made = let_go(study, tmp_path / "public")
    assert made.copied == []
    assert "not the one that a person passed" in made.withheld[0].cause
    assert list((tmp_path / "public").rglob("*.nii")) == []
    assert list((tmp_path / "public").rglob("*.part")) == []


def test_a_pass_of_other_content_counts_for_nothing(study: Study, tmp_path: Path) -> None:
    """The file was replaced and sifted again: what was passed before is gone."""
    study.add("a_T1w.nii", seed=1)
    study.say("a_T1w.nii", "f" * 64, "correct")
    made = let_go(study, tmp_path / "public")
    assert made.copied == []
    assert made.states == {"waiting": 1}


def test_a_pass_that_was_taken_back_counts_for_nothing(study: Study, tmp_path: Path) -> None:
    from brainsift.store.reviews.acts import Stamp, undo
    from tests.engine.defacing.study import AT

    sha256 = study.add("a_T1w.nii", seed=1)
    study.say("a_T1w.nii", sha256, "correct")
    undo(study.database, Stamp("ab", "key-of-the-undo-1", "1" * 64, AT), None, "test")
    assert let_go(study, tmp_path / "public").copied == []


def test_while_a_second_reading_is_due_nothing_goes(study: Study, tmp_path: Path) -> None:
    sha256 = study.add("a_T1w.nii", seed=1)
    study.say("a_T1w.nii", sha256, "correct", second=True)
    assert let_go(study, tmp_path / "first").copied == []
    study.say("a_T1w.nii", sha256, "correct", who="cd")
    assert len(let_go(study, tmp_path / "second").copied) == 1


def test_the_bound_counts_misses_among_passes_read_twice(study: Study, tmp_path: Path) -> None:
    for number in range(20):
        name = f"s{number:02d}_T1w.nii"
        sha256 = study.add(name, seed=number)
        study.say(name, sha256, "correct", second=True)
        study.say(name, sha256, "insufficient" if number == 0 else "correct", who="cd")
    made = let_go(study, tmp_path / "public")
    assert (made.bound.rechecked, made.bound.missed) == (20, 1)
    assert made.bound.bound == pytest.approx(0.2161, abs=1e-3)  # Clopper-Pearson, 1 of 20, 95 % one-sided
    told = json.loads((tmp_path / "public" / SUMMARY_NAME).read_text())
    assert told["residual_error"]["missed"] == 1
    assert told["released"] == 19


def test_without_a_second_reading_nothing_is_promised(study: Study, tmp_path: Path) -> None:
    sha256 = study.add("a_T1w.nii", seed=1)
    study.say("a_T1w.nii", sha256, "correct")
    assert let_go(study, tmp_path / "public").bound.bound is None


def test_a_new_attempt_is_released_in_place_of_its_scan(study: Study, tmp_path: Path) -> None:
    first = study.add("a_T1w.nii", Action.REJECT, seed=1, label="insufficient")
    study.say("a_T1w.nii", first, "correct")  # passed, then made anew nevertheless
    name = "brainsift-attempts/a_T1w_attempt-2.nii"
    second = write_scan(study.output / name, seed=2)
    add_attempt(
        study.output,
        Attempt(
            kind="made", origin="a_T1w.nii", parent="a_T1w.nii", parent_sha256=first, number=2, scan=name,
            sha256=second, at=datetime.now(UTC),
        ),
    )  # fmt: skip
    study.keep(record_of(name, second, Action.ACCEPT))
    assert let_go(study, tmp_path / "one").copied == []
    study.say(name, second, "correct")
    (copied,) = let_go(study, tmp_path / "two").copied
    assert (copied.file, copied.scan, copied.attempt, copied.sha256) == ("a_T1w.nii", name, 2, second)
    assert hashlib.sha256((tmp_path / "two" / "a_T1w.nii").read_bytes()).hexdigest() == second


@pytest.mark.parametrize("where", ["in/public", "out/public", "."])
def test_a_release_lies_outside_of_input_and_output(study: Study, tmp_path: Path, where: str) -> None:
    with pytest.raises(RunError, match="elsewhere"):
        let_go(study, tmp_path / where)


def test_releases_are_never_mixed(study: Study, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "older.nii").write_bytes(b"x")
    with pytest.raises(RunError, match="empty"):
        let_go(study, tmp_path / "public")


def test_a_name_cannot_lead_out_of_its_folder(study: Study, tmp_path: Path) -> None:
    write_scan(tmp_path / "secret.nii", seed=5)
    sha256 = hashlib.sha256((tmp_path / "secret.nii").read_bytes()).hexdigest()
    record = record_of("x.nii", sha256, Action.ACCEPT).model_copy(update={"scan": "../secret.nii"})
    study.database.ingest([record])
    study.say("../secret.nii", sha256, "correct")
    made = let_go(study, tmp_path / "public")
    assert made.copied == []
    assert "leads out" in made.withheld[0].cause


def test_dicom_is_not_released(study: Study, tmp_path: Path) -> None:
    sha256 = "a" * 64
    study.keep(record_of("series_a", sha256, Action.ACCEPT))
    study.say("series_a", sha256, "correct")
    made = let_go(study, tmp_path / "public")
    assert made.copied == []
    assert "headers hold identities" in made.withheld[0].cause


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with pytest.raises(ScanError):
        copy_if_same(tmp_path / "a", tmp_path / "to" / "a", "0" * 64, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []
