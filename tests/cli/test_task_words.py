"""`--task`: for every scan, or by sequence."""

from __future__ import annotations

import pytest

from brainsift.cli.exits import Exit, Stop
from brainsift.cli.run import make_settings
from brainsift.cli.task_words import parse_tasks
from tests.cli.conftest import Call


def test_a_task_alone_is_for_every_scan() -> None:
    assert parse_tasks(["quality", "defacing"]) == (("quality", "defacing"), ())
    assert parse_tasks(["quality,defacing"]) == (("quality", "defacing"), ())


def test_a_sequence_before_it_keeps_it_to_those_scans() -> None:
    tasks, only_for = parse_tasks(["T1w:quality,defacing", "FLAIR:quality"])
    assert tasks == ("quality", "defacing")
    assert only_for == (("quality", ("T1w", "FLAIR")), ("defacing", ("T1w",)))


def test_a_task_that_is_also_asked_of_every_scan_is() -> None:
    assert parse_tasks(["T1w:quality", "quality"]) == (("quality",), ())


@pytest.mark.parametrize(
    ("word", "sequence"), [("flair", "FLAIR"), ("SWI", "T2starw"), ("QSM", "Chimap"), ("t1W", "T1w")]
)
def test_names_that_people_use_for_sequences_are_known(word: str, sequence: str) -> None:
    assert parse_tasks([f"{word}:quality"])[1] == (("quality", (sequence,)),)


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("T1w:", "names no task"),
        (":quality", "names no task"),
        ("T1w:quality,,defacing", "names no task"),
        ("T1w:horoscope", "There is no task 'horoscope'"),
        ("T9w:quality", "There is no sequence 'T9w'"),
        ("quality:T1w", "There is no sequence 'quality'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_words_that_do(word: str, cause: str) -> None:
    with pytest.raises(Stop) as stop:
        parse_tasks([word])
    assert cause in stop.value.cause
    assert "T1w" in stop.value.remedy or "Tasks: " in stop.value.remedy


def test_integrity_is_asked_of_every_scan_whatever_is_said() -> None:
    settings = make_settings(["FLAIR:integrity", "T1w:quality"], None)
    assert settings.tasks == ("integrity", "quality")
    assert settings.why_left_out("integrity", "T1w") is None


def test_tasks_by_sequence_are_other_settings() -> None:
    assert make_settings(["T1w:quality"], None).sha256() != make_settings(["quality"], None).sha256()
    same = make_settings(["T1w:quality", "FLAIR:quality"], None)
    assert same == make_settings(["FLAIR:quality", "T1w:quality"], None)


def test_the_shell_is_told_which_sequences_there_are(call: Call) -> None:
    answer = call("run", "scans", "results", "--task", "T9w:quality")
    assert answer.code == Exit.USAGE
    assert "FLAIR" in answer.err
