"""`brainsift db`, and what `run` says to words about clusters that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.cli.exits import Exit
from brainsift.store.database import Database
from brainsift.store.schema import DATABASE_VERSION
from tests.cli.conftest import Call
from tests.store.parts import done_record
from tests.store.test_migrations import make_old


def test_an_old_database_is_told_upgraded_and_then_up_to_date(call: Call, tmp_path: Path) -> None:
    make_old(tmp_path, None, 2)
    answer = call("db", "status", tmp_path)
    assert answer.code == Exit.SCANS_FAILED
    assert f"schema version 2; this BrainSift needs {DATABASE_VERSION}" in answer.out
    assert "brainsift db upgrade" in answer.out
    assert "1 studies, 1 scans, 1 reviews" in answer.out
    answer = call("db", "upgrade", tmp_path)
    assert (answer.code, f"from schema version 2 to {DATABASE_VERSION}" in answer.out) == (Exit.DONE, True)
    assert "already" in call("db", "upgrade", tmp_path).out
    answer = call("db", "status", tmp_path)
    assert (answer.code, "Up to date." in answer.out) == (Exit.DONE, True)


def test_a_verb_that_meets_an_old_database_says_what_to_type(call: Call, tmp_path: Path) -> None:
    with Database(tmp_path) as database:
        database.ingest([done_record()])
    (tmp_path / "brainsift.db").unlink()
    make_old(tmp_path, None, 1)
    answer = call("report", tmp_path)
    assert answer.code == Exit.USAGE
    assert "schema version 1" in answer.err
    assert "brainsift db upgrade OUTPUT" in answer.err


def test_a_folder_without_a_database_is_no_place_for_one(call: Call, tmp_path: Path) -> None:
    answer = call("db", "upgrade", tmp_path)
    assert (answer.code, "holds no brainsift.db" in answer.err) == (Exit.USAGE, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dask", "head:8786"), "tcp://host:8786"),
        (("--dask", "local", "--slurm", "2"), "Leave one of them out"),
        (("--slurm-option", "queue=short"), "Add --slurm"),
        (("--slurm", "2", "--slurm-option", "colour=red"), "colour=red"),
    ],
)
def test_words_about_a_cluster_that_cannot_be_are_refused_before_any_work(
    words: tuple[str, ...], said: str, call: Call, tmp_path: Path
) -> None:
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    (tmp_path / "in").mkdir()
    answer = call("run", tmp_path / "in", tmp_path / "out", *words)
    assert answer.code == Exit.USAGE
    assert said in answer.err
    assert not (tmp_path / "out").exists()
