"""The same behaviour on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from brainsift.decide.decision import Action, Decision
from brainsift.store.database import DATABASE_NAME, Database
from brainsift.store.errors import StoreError
from brainsift.store.reviews.acts import Stamp, record
from brainsift.store.reviews.schema import ReviewRow
from brainsift.store.schema import DecisionRow, FindingRow, ScanRow
from tests.store.parts import an_act, done_record, failed_record


def rows(database: Database, table: type) -> int:
    with database.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_record_comes_back_as_it_went_in(database: Database) -> None:
    record = done_record(reason="ümlaut 'quote' \x00nul ; DROP TABLE scans")
    database.ingest([record])
    assert database.record(record.scan) == record


def test_ingesting_again_replaces_the_row_its_findings_and_its_decisions(database: Database) -> None:
    database.ingest([done_record(), failed_record()])
    refer = Decision(task="integrity", action=Action.REFER, rule="clipped", reason="Look.")
    database.ingest([done_record(decisions=(refer,), seconds=9.0)])
    assert rows(database, ScanRow) == 2
    assert rows(database, FindingRow) == rows(database, DecisionRow) == 1
    with database.engine.connect() as connection:
        assert connection.scalar(select(DecisionRow.action)) == "refer"
        assert connection.scalar(select(ScanRow.seconds).where(ScanRow.status == "done")) == 9.0


def test_a_scan_that_comes_twice_in_one_batch_is_one_row_and_the_last_wins(database: Database) -> None:
    database.ingest([done_record(seconds=1.0), done_record(seconds=2.0)])
    assert rows(database, ScanRow) == 1
    assert [record.seconds for record in database.records()] == [2.0]


def test_many_records_go_in_at_once(database: Database) -> None:
    database.ingest([done_record(f"s{n:04}.nii.gz", sha256=f"{n:064}") for n in range(603)])
    assert database.counts() == {"done": 603}
    assert len(database.known([f"s{n:04}.nii.gz" for n in range(1000)])) == 603


def test_records_come_in_the_order_of_their_bytes_on_every_server(database: Database) -> None:
    names = ["b.nii.gz", "B.nii.gz", "a/c.nii.gz", "a-c.nii.gz", "é.nii.gz", "z.nii.gz"]
    database.ingest([done_record(name) for name in names])
    assert [record.scan for record in database.records()] == sorted(names, key=str.encode)


def test_known_tells_what_resuming_needs(database: Database) -> None:
    database.ingest([failed_record()])
    known = database.known(["bad.nii.gz", "never.nii.gz"])
    assert list(known) == ["bad.nii.gz"]
    assert (known["bad.nii.gz"].status, known["bad.nii.gz"].fingerprint) == ("failed", "3:1")
    assert (known["bad.nii.gz"].failure_kind, known["bad.nii.gz"].failure_stage) == ("truncated", "read")


def test_a_batch_with_one_unstorable_record_leaves_nothing_behind(database: Database) -> None:
    broken = done_record("nan.nii.gz").model_copy(update={"seconds": None})
    with pytest.raises((StoreError, ValueError)):
        database.ingest([done_record(), broken])
    assert rows(database, ScanRow) == rows(database, FindingRow) == 0


def test_two_studies_on_one_server_do_not_see_each_other(postgres_url: str, tmp_path: Path) -> None:
    with Database(tmp_path / "one", postgres_url) as one, Database(tmp_path / "two", postgres_url) as two:
        one.ingest([done_record()])
        two.ingest([failed_record(done_record().scan)])
        assert (one.counts(), two.counts()) == ({"done": 1}, {"failed": 1})


def test_the_default_file_stays_valid_when_the_folder_is_moved(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with Database(tmp_path / "old") as database:
        database.ingest([done_record()])
    (tmp_path / "old").rename(tmp_path / "new")
    with Database(tmp_path / "new") as database:
        assert database.counts() == {"done": 1}


def test_sqlite_writes_ahead_so_that_a_reader_never_waits(tmp_path: Path) -> None:
    with Database(tmp_path) as database, database.engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    with Database(tmp_path) as database:
        database.ingest([done_record()])
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE_NAME]


def test_several_runs_may_write_at_the_same_time(url: str | None, tmp_path: Path) -> None:
    faults: list[BaseException] = []

    def write(worker: int) -> None:
        try:
            with Database(tmp_path, url) as database:
                for n in range(10):
                    database.ingest([done_record(f"{worker}-{n}.nii.gz"), done_record("shared.nii.gz")])
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with Database(tmp_path, url) as database:
        assert database.counts() == {"done": 41}


def test_two_runs_with_the_same_scans_in_opposite_orders_do_not_wait_for_each_other_in_a_circle(
    url: str | None, tmp_path: Path
) -> None:
    names = [f"s{n:02}.nii.gz" for n in range(40)]
    faults: list[BaseException] = []
    together = threading.Barrier(2)

    def write(order: list[str]) -> None:
        try:
            with Database(tmp_path, url) as database:
                for _ in range(15):
                    together.wait(60)
                    database.ingest([done_record(name) for name in order])
        except BaseException as error:
            faults.append(error)
            together.abort()

    threads = [threading.Thread(target=write, args=(order,)) for order in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with Database(tmp_path, url) as database:
        assert database.counts() == {"done": 40}


def test_a_connection_that_is_cut_in_the_middle_of_an_ingest_costs_no_record(postgres_url: str, tmp_path: Path) -> None:
    cut: list[int] = []

    def cut_once(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO findings") and not cut:
            cut.append(connection.connection.dbapi_connection.info.backend_pid)
            with Database(tmp_path, postgres_url) as other, other.engine.begin() as aside:
                aside.execute(select(func.pg_terminate_backend(cut[0])))

    with Database(tmp_path, postgres_url) as database:
        event.listen(database.engine, "before_cursor_execute", cut_once)
        database.ingest([done_record("a.nii.gz"), done_record("b.nii.gz")])
        assert cut
        assert database.counts() == {"done": 2}
        assert rows(database, FindingRow) == 2


def test_a_server_that_stays_away_ends_the_run_with_what_to_check(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brainsift.store.database.RETRY_AFTER_S", (0.01,))
    tried: list[int] = []

    def refuse(*_: Any) -> None:
        tried.append(1)
        raise OperationalError("connect", None, Exception("connection refused"))

    with Database(tmp_path, postgres_url) as database:
        event.listen(database.engine, "before_cursor_execute", refuse)
        with pytest.raises(StoreError, match="that the server runs"):
            database.ingest([done_record()])
    assert len(tried) == 2


def add_review(database: Database) -> None:
    database.ingest([done_record()])
    record(
        database,
        Stamp("ab", "key", "0" * 64, "2026-11-21T08:00:00.000000Z"),
        [an_act(done_record().scan, "i1")],
        until_ms=0,
    )


def test_reviews_survive_a_new_record_of_their_scan(database: Database) -> None:
    add_review(database)
    database.ingest([done_record(seconds=3.0)])
    with database.engine.connect() as connection:
        joined = select(ReviewRow.choice, ScanRow.seconds).join(ScanRow, ScanRow.scan == ReviewRow.scan)
        assert connection.execute(joined).one() == ("usable", 3.0)


@pytest.mark.parametrize(
    "change", [update(ReviewRow).values(choice="not_usable"), delete(ReviewRow)], ids=["update", "delete"]
)
def test_the_server_refuses_to_change_a_review(database: Database, change: object) -> None:
    add_review(database)
    with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(change)  # type: ignore[call-overload]
    assert rows(database, ReviewRow) == 1


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("not a url", "database_url"),
        ("nosuchserver://host/name", "database_url"),
        ("postgresql+psycopg://nobody@/none?host=/nonexistent", "database"),
    ],
)
def test_a_url_that_leads_nowhere_is_explained(url: str, kind: str, tmp_path: Path) -> None:
    if "psycopg" in url:
        pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as refusal:
        Database(tmp_path, url)
    assert refusal.value.kind == kind
    assert refusal.value.remedy


def test_an_error_of_the_server_does_not_quote_data(database: Database) -> None:
    database.ingest([done_record("secret.nii.gz")])
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE decisions"))
    with pytest.raises(StoreError) as refusal:
        database.ingest([done_record("secret.nii.gz")])
    assert "secret" not in str(refusal.value)
