"""`brainsift backup` and `brainsift restore`, as a shell sees them."""

from __future__ import annotations

from pathlib import Path

from brainsift.cli.exits import Exit
from brainsift.store.database import Database
from brainsift.store.record_io import write_record
from tests.cli.conftest import Call
from tests.store.parts import done_record


def test_a_study_goes_into_a_file_and_comes_back(call: Call, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    write_record(done_record(), output)
    with Database(output) as database:
        database.ingest([done_record()])
    saved = call("backup", output, tmp_path / "study.tar.gz")
    assert saved.code == Exit.DONE, saved.err
    assert "1 scans, 0 reviews" in saved.out
    back = call("restore", tmp_path / "study.tar.gz", tmp_path / "back")
    assert back.code == Exit.DONE, back.err
    assert "brainsift report" in back.out
    again = call("restore", tmp_path / "study.tar.gz", tmp_path / "back")
    assert again.code == Exit.USAGE
    assert "holds files" in again.err


def test_a_file_that_is_not_there_is_named(call: Call, tmp_path: Path) -> None:
    answer = call("restore", tmp_path / "none.tar.gz", tmp_path / "back")
    assert answer.code == Exit.USAGE
    assert "none.tar.gz" in answer.err
    assert not (tmp_path / "back").exists()
