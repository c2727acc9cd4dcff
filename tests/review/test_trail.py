"""The trail: whoever changes a row is found out, and the row is named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from brainsift.store.database import Database
from brainsift.store.reviews.acts import NewAct, Stamp, record, undo
from brainsift.store.reviews.chain import CHAINED, START, Head, check_trail, row_digest
from brainsift.store.reviews.verdicts import check_cases
from tests.review.process import PROGRAM
from tests.store.parts import done_record

ROWS = 5


def new_act(scan: str, number: int) -> NewAct:
    """An answer about a scan."""
    return NewAct(
        task="quality",
        list_name="review",
        stage="reading",
        scan=scan,
        item=f"item{number}",
        outcome="answer",
        choice="good",
        fields="{}",
        meaning="I looked at this scan and found: Good.",
        milliseconds=1234,
        shown="{}",
        input_sha256="a" * 64,
        software="brainsift test",
    )


def write_trail(database: Database) -> None:
    """Four decisions and an undo."""
    database.ingest([done_record(f"{n}.nii.gz", sha256="a" * 64) for n in range(ROWS)])
    for n in range(ROWS - 1):
        stamp = Stamp("äb", f"key{n}", "0" * 64, f"2026-11-21T08:00:0{n}.000000Z")
        record(database, stamp, [new_act(f"{n}.nii.gz", n)], until_ms=0)
    undo(database, Stamp("äb", "undo", "0" * 64, "2026-11-21T08:01:00.000000Z"), None, "brainsift test")


def tamper(database: Database, *statements: str) -> None:
    """Change the trail as somebody with the password of the database can, who drops the guards first."""
    sqlite = database.engine.dialect.name == "sqlite"
    drop = ["DROP TRIGGER reviews_no_update", "DROP TRIGGER reviews_no_delete"]
    if not sqlite:
        drop = ["DROP TRIGGER reviews_append_only ON reviews"]
    with database.engine.begin() as connection:
        for statement in (*drop, *statements):
            connection.execute(text(statement))


@pytest.fixture
def written(url: str | None, tmp_path: Path) -> Database:
    database = Database(tmp_path, url, durable=True)
    write_trail(database)
    return database


def test_a_trail_as_it_was_written_is_whole(written: Database) -> None:
    trail = check_trail(written)
    assert (trail.events, trail.fault) == (ROWS, None)
    assert check_cases(written) is None
    assert check_trail(written, Head(ROWS, trail.head)).whole
    written.close()


def test_every_column_that_is_changed_breaks_its_row(written: Database) -> None:
    """Column by column, each put back before the next."""
    tamper(written)
    assert {"reviewer", "at", "milliseconds", "shown", "model_sha256", "input_sha256", "choice"} <= set(CHAINED)
    for column in (name for name in CHAINED if name not in ("study", "position")):
        with written.engine.begin() as connection:
            old = connection.execute(text(f"SELECT {column} FROM reviews WHERE position = 2")).scalar()
            other = 7 if isinstance(old, int) and not isinstance(old, bool) else "other"
            if isinstance(old, bool) or column == "second_wanted":
                other = True
            if column == "undo_of":
                other = 1
            change = text(f"UPDATE reviews SET {column} = :value WHERE position = 2")
            connection.execute(change, {"value": other})
        fault = check_trail(written).fault
        assert fault is not None, column
        assert (fault.position, "changed" in fault.cause) == (2, True), column
        with written.engine.begin() as connection:
            connection.execute(change, {"value": bool(old) if column == "second_wanted" else old})
    assert check_trail(written).whole
    written.close()


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("DELETE FROM reviews WHERE position = 3", 3),
        ("DELETE FROM reviews WHERE position = 1", 1),
        (f"DELETE FROM reviews WHERE position = {ROWS}", ROWS),
        ("DELETE FROM reviews", 1),
        ("UPDATE reviews SET previous_sha256 = sha256 WHERE position = 4", 4),
        ("UPDATE reviews SET sha256 = previous_sha256 WHERE position = 4", 4),
    ],
    ids=["middle", "first", "last", "all", "link", "digest"],
)
def test_a_row_that_is_gone_or_replaced_is_named(tmp_path: Path, statement: str, position: int) -> None:
    with Database(tmp_path) as database:
        write_trail(database)
        tamper(database, statement)
        fault = check_trail(database).fault
    assert fault is not None
    assert fault.position == position


def test_a_trail_made_anew_is_shown_by_a_digest_that_was_noted_elsewhere(tmp_path: Path) -> None:
    with Database(tmp_path) as database:
        write_trail(database)
        noted = Head(ROWS, check_trail(database).head)
        tamper(database)
        with database.engine.begin() as connection:
            rows = [dict(r) for r in connection.execute(text("SELECT * FROM reviews ORDER BY position")).mappings()]
            previous = START
            for row in rows:
                row["second_wanted"] = bool(row["second_wanted"])
                row["reviewer"] = "cd"
                digest = row_digest(previous, row)
                values = {"p": previous, "d": digest, "n": row["position"]}
                change = "UPDATE reviews SET reviewer='cd', previous_sha256=:p, sha256=:d WHERE position=:n"
                connection.execute(text(change), values)
                previous = digest
            connection.execute(text("UPDATE review_chains SET sha256 = :d"), {"d": previous})
        assert check_trail(database).whole
        fault = check_trail(database, noted).fault
        assert fault is not None
        assert fault.position == ROWS


def test_a_state_that_the_trail_does_not_give_is_named(tmp_path: Path) -> None:
    with Database(tmp_path) as database:
        write_trail(database)
        with database.engine.begin() as connection:
            connection.execute(text("UPDATE review_cases SET choice = 'bad' WHERE scan = '1.nii.gz'"))
        fault = check_cases(database)
        assert fault is not None
        assert fault.position == 2
        with database.engine.begin() as connection:
            connection.execute(text("DELETE FROM review_cases WHERE scan = '0.nii.gz'"))
        fault = check_cases(database)
        assert fault is not None
        assert fault.position == 1


Verify = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", PROGRAM, "review", "verify", str(tmp_path), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def test_verify_tells_the_digest_to_note_and_the_row_that_broke(tmp_path: Path, verify: Verify) -> None:
    with Database(tmp_path) as database:
        write_trail(database)
    whole = verify()
    assert whole.returncode == 0, whole.stderr
    noted = whole.stdout.splitlines()[-1]
    assert noted.startswith(f"{ROWS}:")
    assert verify("--expect", noted[:-1]).returncode == 2
    with Database(tmp_path) as database:
        tamper(database, "UPDATE reviews SET choice = 'bad' WHERE position = 3")
    broken = verify("--expect", noted)
    assert broken.returncode == 1
    assert "Row 3 of the trail" in broken.stderr
