"""The log: a line for everything that happens, and nothing in it that names a person."""

from __future__ import annotations

import json
from pathlib import Path

from brainsift.engine.watch.log import JsonLog
from brainsift.engine.watch.names import private_name
from tests.engine.watch.parts import DONE, NAMED, play

KEY = bytes(range(32))


def test_every_line_is_json_and_tells_what_happened(tmp_path: Path) -> None:
    play(JsonLog(tmp_path / "log.jsonl", KEY))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="ascii").splitlines()]
    assert [line["event"] for line in lines] == [
        "run_began", "scan_done", "scan_failed", "forecast", "scan_unchanged", "run_ended",
    ]  # fmt: skip
    assert lines[1]["stages"]["anatomy.bend"] == 0.5
    assert (lines[2]["kind"], lines[2]["stage"]) == ("truncated", "read")
    assert lines[3]["scans_left"] == 98
    assert (lines[-1]["ended"], lines[-1]["failed"]) == ("interrupted", 1)


def test_no_line_names_a_person_a_path_or_what_was_found(tmp_path: Path) -> None:
    play(JsonLog(tmp_path / "log.jsonl", KEY))
    text = (tmp_path / "log.jsonl").read_text(encoding="ascii")
    record = DONE.record
    assert record is not None
    for private in ("Doe", "1947", "nii", "sub-", str(record.input.sha256), "image", "whole_image", "Copy it again"):
        assert private not in text, private
    assert private_name(KEY, f"{NAMED}/T1w.nii.gz") in text


def test_runs_that_share_a_log_add_to_it(tmp_path: Path) -> None:
    for _ in range(2):
        play(JsonLog(tmp_path / "log.jsonl", KEY))
    events = [json.loads(line)["event"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert events.count("run_ended") == 2
