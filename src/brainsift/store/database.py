"""The database: opened by URL, one row per scan, many records at a time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, insert, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from brainsift.store.errors import StoreError
from brainsift.store.ingest import upsert_records
from brainsift.store.migrate import open_schema
from brainsift.store.record import Record
from brainsift.store.record_io import parse_record
from brainsift.store.schema import RunRow, ScanRow

DATABASE_NAME = "brainsift.db"
RETRIED = ("08", "40", "57P")
"""Classes of SQLSTATE that pass (PostgreSQL, appendix A): connection exception, transaction rollback (deadlock),
shutdown. Without any the server could not be asked."""

BUSY_TIMEOUT_S = 60
"""How long SQLite waits for another run that writes to the same file."""

WAL_PAUSE_S = 0.05

RETRY_AFTER_S = (0.5, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Pauses before a server that went away is tried again: a restart takes seconds, a failover half a minute."""

LOOKUP_CHUNK = 500
"""Scans asked for in one query; SQLite allows 999 parameters on old builds."""


@dataclass(frozen=True)
class Known:
    """What the database knows of a scan without reading its record."""

    scan: str
    stem: str
    status: str
    fingerprint: str
    sha256: str | None
    models_sha256: str
    settings_sha256: str
    failure_kind: str | None
    failure_stage: str | None


class Database:
    """One study in one database.

    Parameters
    ----------
    output : the OUTPUT folder; holds `brainsift.db` unless `url` is given.
    url : SQLAlchemy URL such as ``postgresql+psycopg://user@host/name``.
    durable : wait for the disk at each commit; for what people decide, which no record on disk could bring back.

    Raises
    ------
    StoreError
        if the URL is not understood, the server cannot be reached, or an older or newer BrainSift made the tables.
    """

    def __init__(self, output: Path, url: str | None = None, durable: bool = False) -> None:
        # A server may hold many studies; the file in OUTPUT holds one, and stays valid when the folder is moved.
        self.study = str(output.resolve()) if url else "."
        self.engine = open_engine(url or f"sqlite:///{output / DATABASE_NAME}", durable)
        try:
            with translated_errors():
                open_schema(self.engine)
        except BaseException:
            self.engine.dispose()
            raise

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections; SQLite's log is folded back into its one file."""
        self.engine.dispose()

    def ingest(self, records: Sequence[Record]) -> None:
        """Insert or replace the rows of these records, all or none.

        A server that is restarted, or cuts a connection, is tried again for a minute: a run of a night need not end for
        it, and the same records may go in twice.
        """
        if not records:
            return
        for pause_s in (*RETRY_AFTER_S, None):
            with translated_errors():
                try:
                    with self.engine.begin() as connection:
                        upsert_records(connection, self.study, records)
                    return
                except OperationalError as error:
                    if pause_s is None or not _passes(error, self.engine):
                        raise
            time.sleep(pause_s)

    def known(self, scans: Sequence[str]) -> dict[str, Known]:
        """What is known of these scans; the unknown ones are absent."""
        found: dict[str, Known] = {}
        columns = [getattr(ScanRow, name) for name in Known.__dataclass_fields__]
        with translated_errors(), self.engine.connect() as connection:
            for start in range(0, len(scans), LOOKUP_CHUNK):
                chunk = scans[start : start + LOOKUP_CHUNK]
                query = select(*columns).where(ScanRow.study == self.study, ScanRow.scan.in_(chunk))
                found.update((row.scan, Known(*row)) for row in connection.execute(query))
        return found

    def records(self, status: str | None = None) -> Iterator[Record]:
        """All records of the study, ordered by the bytes of `scan`."""
        query = select(ScanRow.scan, ScanRow.record).where(ScanRow.study == self.study).order_by(ScanRow.scan)
        if status is not None:
            query = query.where(ScanRow.status == status)
        with translated_errors(), self.engine.connect() as connection:
            for scan, text in connection.execution_options(yield_per=LOOKUP_CHUNK).execute(query):
                yield parse_record(text, scan)

    def record(self, scan: str) -> Record | None:
        """The record of one scan."""
        query = select(ScanRow.record).where(ScanRow.study == self.study, ScanRow.scan == scan)
        with translated_errors(), self.engine.connect() as connection:
            text = connection.scalar(query)
        return None if text is None else parse_record(text, scan)

    def counts(self) -> dict[str, int]:
        """Scans by status."""
        query = select(ScanRow.status, func.count()).where(ScanRow.study == self.study).group_by(ScanRow.status)
        with translated_errors(), self.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def add_run(self, **columns: Any) -> None:
        """Note one run; `columns` are those of `RunRow`."""
        with translated_errors(), self.engine.begin() as connection:
            connection.execute(insert(RunRow).values(study=self.study, **columns))


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn a driver's error into one that names cause and remedy; the driver's text may hold data and is left out."""
    try:
        yield
    except DBAPIError as error:
        text = str(error.orig).lower()
        if "disk is full" in text or "disk i/o error" in text or "no space left" in text:
            cause, remedy = "The database has no room to write.", "Free space, then run the same command again."
            raise StoreError("output_full", cause, remedy) from error
        if "readonly database" in text or "unable to open database" in text:
            cause, remedy = "The database cannot be written.", "Choose an OUTPUT folder that you may write to."
            raise StoreError("output_read_only", cause, remedy) from error
        raise StoreError(
            "database",
            f"The database refused a request ({type(error.orig).__name__}).",
            "Check the --db URL, that the server runs, and that its user may create tables.",
        ) from error


def _passes(error: OperationalError, engine: Engine) -> bool:
    """Whether a fault of a server may be over in a while: a connection lost or refused, two programs in each other's
    way. Not one of SQLite, which has waited by itself, nor one of a server that is full."""
    if engine.dialect.name == "sqlite":
        return False
    code = getattr(error.orig, "sqlstate", None) or ""
    return not code or code.startswith(RETRIED)


def open_engine(url: str, durable: bool = False) -> Engine:
    """Connections to a database, tuned; none is opened yet.

    Raises
    ------
    StoreError
        if the URL is not understood or its driver is not installed.
    """
    try:
        waits = {"timeout": BUSY_TIMEOUT_S} if url.startswith("sqlite") else {}
        # A connection that a server or a firewall has cut while it lay idle is noticed before it is used.
        engine = create_engine(url, connect_args=waits, pool_pre_ping=not waits)
    except (ArgumentError, NoSuchModuleError):
        raise StoreError(
            "database_url",
            "The database URL is not understood.",
            "Write it as postgresql+psycopg://user@host/name or sqlite:///file.",
        ) from None
    except ModuleNotFoundError as error:
        raise StoreError(
            "database_driver",
            f"The database driver {error.name} is not installed.",
            "Install the extra: pip install 'brainsift[postgres]'.",
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_durable_sqlite if durable else _tune_sqlite)
    return engine


def _tune_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # Readers (the review page) go on while a run writes. File systems that cannot share memory answer with another
    # mode.
    _switch_to_wal(cursor)
    # The records on disk are the truth and are ingested again after a power cut, so each commit need not wait for the
    # disk.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """SQLite's own waiting does not cover this switch: of two runs that open a new file at once, one is turned away."""
    for _ in range(round(BUSY_TIMEOUT_S / WAL_PAUSE_S)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        time.sleep(WAL_PAUSE_S)


def _tune_durable_sqlite(connection: Any, record: Any) -> None:
    _tune_sqlite(connection, record)
    connection.execute("PRAGMA synchronous=FULL").close()
