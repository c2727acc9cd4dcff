"""`brainsift status`: where a study stands, in words and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from brainsift.cli.exits import Exit
from brainsift.cli.progress import forecast_words, span
from brainsift.decide.decision import Action, Decision
from brainsift.engine.folders import scratch_root
from brainsift.engine.summary import Progress
from brainsift.engine.watch.life import SignOfLife
from brainsift.engine.watch.names import log_key, private_name
from brainsift.store.database import Database
from brainsift.store.record import Record
from brainsift.tasks.base import Finding
from tests.cli.conftest import Call
from tests.engine.watch.parts import BEGAN, DONE, FORECAST
from tests.store.parts import done_record, failed_record

STARTED = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


def judged(scan: str, action: Action) -> Record:
    """A scan about whose quality the machine has decided."""
    finding = Finding(task="quality", label="proper", probabilities={"proper": 0.7})
    decision = Decision(task="quality", action=action, rule="test", reason="")
    return done_record(scan, sha256=scan[0] * 64, findings=(finding,), decisions=(decision,))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """OUTPUT of a run that has ended: three done, of which two wait for people, one failed."""
    with Database(tmp_path) as database:
        scans = [judged("a.nii.gz", Action.REFER), judged("b.nii.gz", Action.REFER), judged("c.nii.gz", Action.ACCEPT)]
        database.ingest([*scans, failed_record()])
        database.add_run(
            started=STARTED,
            ended=STARTED + timedelta(hours=2),
            software="brainsift 0.1.0",
            settings="{}",
            counts=json.dumps({"found": 4, "done": 3, "failed": 1}),
            interrupted=False,
        )
    return tmp_path


def test_a_finished_study_is_told_in_words(call: Call, study: Path) -> None:
    answer = call("status", study)
    assert answer.code == Exit.DONE, answer.err
    assert answer.out.splitlines() == [
        "4 scans: 3 done, 1 failed",
        "waiting for people: 2 quality",
        "the last run ended 2026-01-02T05:00:00+00:00, 2 scans an hour",
        "no run is at work",
    ]


def test_a_run_at_work_is_told_with_what_is_left(call: Call, study: Path) -> None:
    life = SignOfLife(study)
    life.began(BEGAN)
    life._written = 0.0
    life.took(DONE, Progress(found=100, done=1, failed=1, listed=True, forecast=FORECAST))
    answer = call("status", study)
    assert "at work: 2 of 100 scans, 1 failed" in answer.out
    assert "about 2 min left (2 min to 2 min), slowest stage `anatomy`" in answer.out
    facts = json.loads(call("status", study, "--json").out)
    assert facts["waiting_for_people"] == {"quality": 2}
    assert facts["running"][0]["forecast"]["scans"] == 98
    assert facts["last_run"]["scans_per_hour"] == 2.0


def test_a_killed_run_is_told_with_what_to_do(call: Call, study: Path) -> None:
    SignOfLife(study).began(BEGAN)
    own = scratch_root(study)
    own.rename(own.with_name(f"{own.name.rpartition('-')[0]}-4194305"))  # beyond the largest process id of Linux
    assert "run the same command again" in call("status", study).out


def test_a_name_in_the_log_leads_back_to_its_scan_for_those_who_hold_the_study(call: Call, study: Path) -> None:
    name = private_name(log_key(study), "b.nii.gz")
    assert call("status", study, "--scan", name).out == "b.nii.gz\n"
    unknown = call("status", study, "--scan", "0" * 16)
    assert unknown.code == Exit.USAGE
    assert "No scan of this study" in unknown.err


def test_without_the_key_names_lead_nowhere(call: Call, study: Path) -> None:
    answer = call("status", study, "--scan", "0" * 16)
    assert answer.code == Exit.USAGE
    assert not (study / ".log_key").exists()


@pytest.mark.parametrize("folder", ["none", ""])
def test_a_folder_without_a_study_is_refused(call: Call, tmp_path: Path, folder: str) -> None:
    answer = call("status", tmp_path / folder)
    assert answer.code == Exit.USAGE
    assert not (tmp_path / folder / "brainsift.db").exists()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "1 h"),
        (12000, "3 h 20 min"),
        (180000, "2 d 2 h"),
        (86400, "1 d"),
    ],
)
def test_lengths_of_time_have_two_units_at_most(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_forecast_names_its_interval_what_it_rests_on_and_the_slowest_stage() -> None:
    told = forecast_words(FORECAST, complete=False)
    assert told.startswith("About 2 min for the other 98 or more scans (2 min to 2 min, 95 %")
    assert "measured on 8" in told
    assert "`anatomy`, 60% of the time, most of it in `bend`" in told
