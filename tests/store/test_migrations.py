"""Databases of every version, brought up to date or refused with a remedy; the same on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from brainsift.store import migrate
from brainsift.store.database import DATABASE_NAME, Database, open_engine
from brainsift.store.database_state import database_state, upgrade_database
from brainsift.store.errors import StoreError
from brainsift.store.reviews.schema import ReviewRow
from brainsift.store.schema import DATABASE_VERSION, Base
from brainsift.store.schema_version import VERSION_TABLE
from tests.store.parts import done_record

SCAN = (
    "INSERT INTO scans (id, study, scan, stem, status, reason, fingerprint, models_sha256, settings_sha256, seconds, "
    "record) VALUES (1, :study, 'a.nii.gz', 'a', 'done', '', '1:1', 'm', 's', 1.5, '{}')"
)
REVIEW = (
    "INSERT INTO reviews (id, study, position, key, part, request_sha256, kind, task, list_name, stage, scan, "
    "reviewer, outcome, fields, meaning, milliseconds, shown, second_wanted, input_sha256, software, at, "
    "previous_sha256, sha256) "
    "VALUES (1, :study, 1, 'k', 0, 'r', 'decision', 'quality', 'review', 'reading', 'a.nii.gz', 'ann', 'answer', '{}', "
    "'I looked.', 900, '{}', false, 'i', 'brainsift', '2026-11-21T08:00:00Z', 'p', 'h')"
)


def config(connection: Connection | None = None) -> Config:
    """As the program configures Alembic."""
    made = Config()
    made.set_main_option("script_location", str(migrate.SCRIPTS))
    made.attributes["connection"] = connection
    return made


@contextmanager
def opened(output: Path, url: str | None) -> Iterator[Engine]:
    """Connections to the database of a study, without looking at its version."""
    engine = open_engine(url or f"sqlite:///{output / DATABASE_NAME}")
    try:
        yield engine
    finally:
        engine.dispose()


def make_old(output: Path, url: str | None, version: int, stamped: bool = False) -> None:
    """A database as BrainSift of that version left it, with a scan and, from version 2 on, a review."""
    study = {"study": str(output.resolve()) if url else "."}
    with opened(output, url) as engine, engine.begin() as connection:
        command.upgrade(config(connection), f"{version:04}")
        connection.execute(text(SCAN), study)
        if version >= 2:
            connection.execute(text(REVIEW), study)
        if not stamped:
            connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))


def shape(engine: Engine) -> dict[str, Any]:
    """Tables with their columns, indexes and constraints."""
    found = inspect(engine)
    return {
        name: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(name)],
            sorted((str(one["name"]), one["column_names"]) for one in found.get_indexes(name)),
            sorted(str(one["name"]) for one in found.get_unique_constraints(name)),
            found.get_pk_constraint(name)["constrained_columns"],
        )
        for name in sorted(found.get_table_names())
    }


def test_the_last_migration_is_the_version_of_this_program() -> None:
    heads = ScriptDirectory.from_config(config()).get_heads()
    assert heads == [f"{DATABASE_VERSION:04}"]


def test_all_migrations_together_make_the_tables_that_the_program_maps(url: str | None, tmp_path: Path) -> None:
    with Database(tmp_path, url) as database, database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize(("version", "stamped"), [(1, False), (2, False), (2, True)])
def test_a_database_of_an_older_version_is_refused_until_it_is_upgraded_and_keeps_what_it_holds(
    version: int, stamped: bool, url: str | None, tmp_path: Path
) -> None:
    make_old(tmp_path, url, version, stamped)
    with pytest.raises(StoreError, match="brainsift db upgrade OUTPUT") as refusal:
        Database(tmp_path, url)
    assert refusal.value.kind == "older_schema"
    assert upgrade_database(tmp_path, url) == (version, DATABASE_VERSION)
    with Database(tmp_path, url) as database:
        assert database.counts() == {"done": 1}
        with database.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM reviews")) == (1 if version >= 2 else 0)
        upgraded = shape(database.engine)
    assert upgrade_database(tmp_path, url) == (DATABASE_VERSION, DATABASE_VERSION)
    (tmp_path / "new").mkdir()
    if url is None:
        with Database(tmp_path / "new") as fresh:
            assert shape(fresh.engine) == upgraded, "however a database came to its version, its tables are the same"


@pytest.mark.parametrize("version", [1, 2])
def test_an_upgraded_trail_still_cannot_be_changed(version: int, url: str | None, tmp_path: Path) -> None:
    make_old(tmp_path, url, version)
    upgrade_database(tmp_path, url)
    with Database(tmp_path, url) as database:
        if version == 1:
            with database.engine.begin() as connection:
                connection.execute(text(REVIEW), {"study": database.study})
        with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
            connection.execute(text("UPDATE reviews SET choice = 'other'"))


def test_an_upgrade_that_is_cut_off_leaves_the_database_as_it_was(
    url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old(tmp_path, url, 1)
    with opened(tmp_path, url) as engine:
        before = shape(engine)

    def cut_off(connection: Connection) -> None:
        raise RuntimeError("the power fails")

    monkeypatch.setattr(migrate, "read_state", _then(migrate.read_state, cut_off, calls=1))
    with pytest.raises(RuntimeError, match="the power fails"):
        upgrade_database(tmp_path, url)
    monkeypatch.undo()
    with opened(tmp_path, url) as engine:
        assert shape(engine) == before
    assert upgrade_database(tmp_path, url) == (1, DATABASE_VERSION)


def _then(first: Any, later: Any, calls: int) -> Any:
    """A function that is `first` for so many calls, and `later` afterwards: all was migrated and nothing kept yet."""
    left = [first] * calls

    def call(connection: Connection) -> Any:
        return (left.pop() if left else later)(connection)

    return call


@pytest.mark.parametrize("table", [VERSION_TABLE, "schema_info"])
def test_tables_of_a_newer_program_are_refused_by_every_door(table: str, url: str | None, tmp_path: Path) -> None:
    with Database(tmp_path, url) as database, database.engine.begin() as connection:
        column, value = ("version_num", "'0099'") if table == VERSION_TABLE else ("version", "99")
        connection.execute(text(f"UPDATE {table} SET {column} = {value}"))
    for door in (Database, upgrade_database):
        with pytest.raises(StoreError, match="Update BrainSift") as refusal:
            door(tmp_path, url)
        assert refusal.value.kind == "newer_schema"
    assert database_state(tmp_path, url).schema.version == 99


def test_tables_that_another_program_made_are_left_alone(url: str | None, tmp_path: Path) -> None:
    with opened(tmp_path, url) as engine, engine.begin() as connection:
        connection.execute(text("CREATE TABLE scans (id INTEGER PRIMARY KEY, dose REAL)"))
    for door in (Database, upgrade_database):
        with pytest.raises(StoreError) as refusal:
            door(tmp_path, url)
        assert refusal.value.kind == "foreign_schema"
    with opened(tmp_path, url) as engine:
        assert inspect(engine).get_table_names() == ["scans"]


def test_many_programs_may_start_on_an_empty_database(url: str | None, tmp_path: Path) -> None:
    faults: list[BaseException] = []
    together = threading.Barrier(6)

    def start() -> None:
        try:
            together.wait(60)
            with Database(tmp_path, url) as database:
                database.ingest([done_record()])
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with Database(tmp_path, url) as database:
        assert database.counts() == {"done": 1}


def test_the_state_of_a_database_is_told(url: str | None, tmp_path: Path) -> None:
    make_old(tmp_path, url, 2)
    found = database_state(tmp_path, url)
    assert found.server.startswith("SQLite 3." if url is None else "PostgreSQL ")
    assert (found.schema.version, found.needed) == (2, DATABASE_VERSION)
    assert (found.studies, found.scans, found.reviews) == (1, 1, 1)


def test_no_database_is_no_reason_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refusal:
        upgrade_database(tmp_path)
    assert refusal.value.kind == "no_database"
    assert not list(tmp_path.iterdir())


def test_a_current_database_is_opened_without_alembic(tmp_path: Path) -> None:
    import subprocess
    import sys

    with Database(tmp_path):
        pass
    code = (
        "import sys; from pathlib import Path; from brainsift.store.database import Database; "
        f"Database(Path({str(tmp_path)!r})).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_reviews_are_in_the_tables_that_are_compared() -> None:
    assert ReviewRow.__tablename__ in Base.metadata.tables
