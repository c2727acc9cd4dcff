"""Rows of one study, out of any database and into any other.

Scans, findings and decisions travel as records, since their row numbers mean nothing elsewhere. Who has a scan in hand
and who is logged in does not travel: people log in again. The trail of reviews is checked on the way; under another
name of the study it is signed anew, which keeps order and content and gives it another end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, DateTime, Table, delete, func, insert, select

from brainsift.store.database import Database, translated_errors
from brainsift.store.errors import StoreError
from brainsift.store.record import Record
from brainsift.store.record_io import parse_record
from brainsift.store.reviews.chain import START, Head, append, lock_head, row_digest, rows_of
from brainsift.store.reviews.schema import ChainRow, LeaseRow, ReviewRow, SessionRow
from brainsift.store.schema import Base, DecisionRow, FindingRow, ScanRow

SCANS = ScanRow.__tablename__
REVIEWS = ReviewRow.__tablename__
CHAINS = ChainRow.__tablename__

LEFT_BEHIND = frozenset({SCANS, LeaseRow.__tablename__, SessionRow.__tablename__})

BATCH = 500

Row = dict[str, Any]


def plain_tables() -> list[Table]:
    """Tables whose rows of a study are copied as they are but for their numbers, those that others refer to first."""
    tables = [table for table in Base.metadata.sorted_tables if "study" in table.columns]
    return [table for table in tables if table.name not in LEFT_BEHIND | {REVIEWS, CHAINS}]


def dumped(connection: Connection, study: str) -> Iterator[tuple[str, Iterator[Row]]]:
    """The rows of a study by table, as plain values; scans as their records."""
    yield SCANS, (json.loads(text) for text in _records(connection, study))
    yield REVIEWS, (_plain(row) for row in rows_of(connection, study))
    yield CHAINS, _rows(connection, ChainRow.metadata.tables[CHAINS], study)
    for table in plain_tables():
        yield table.name, _rows(connection, table, study)


def count_scans(connection: Connection, study: str) -> int:
    """Scans of a study."""
    return int(connection.scalar(select(func.count()).where(ScanRow.study == study)) or 0)


def loaded(tables: Mapping[str, Iterable[Row]], database: Database, study: str) -> Head:
    """Put the rows of a study that was called `study` into a database that holds none of it; the end of its trail.

    Raises
    ------
    StoreError
        ``study_exists`` if there is such a study already, ``trail_broken`` if a review is not as it was written.
    """
    with translated_errors():
        with database.engine.connect() as connection:
            if count_scans(connection, database.study) or _trail_length(connection, database.study):
                raise StoreError(
                    "study_exists",
                    "The database holds this study already.",
                    "Restore to another OUTPUT, or to a database that does not have it.",
                )
        try:
            for batch in _batches(tables.get(SCANS, ())):
                database.ingest([_record(row) for row in batch])
            with database.engine.begin() as connection:
                head = _load_trail(connection, database.study, study, tables)
                for table in plain_tables():
                    for batch in _batches(tables.get(table.name, ())):
                        connection.execute(insert(table), [_typed(table, row, database.study) for row in batch])
        except BaseException:
            _withdraw(database)
            raise
    return head


def _withdraw(database: Database) -> None:
    """Take the scans of a study out again that could not be loaded to its end; its reviews came last or not at all."""
    own = select(ScanRow.id).where(ScanRow.study == database.study)
    with database.engine.begin() as connection:
        for table in (FindingRow, DecisionRow):
            connection.execute(delete(table).where(table.scan_id.in_(own)))
        connection.execute(delete(ScanRow).where(ScanRow.study == database.study))


def _load_trail(connection: Connection, target: str, source: str, tables: Mapping[str, Iterable[Row]]) -> Head:
    rows = list(tables.get(REVIEWS, ()))
    check_rows(rows)
    chains = [{**row, "study": target} for row in tables.get(CHAINS, ())]
    if target == source:
        for batch in _batches(rows):
            connection.execute(insert(ReviewRow), [_without_number(row) for row in batch])
        if chains:
            connection.execute(insert(ChainRow), chains)
        return Head(len(rows), rows[-1]["sha256"] if rows else START)
    head = lock_head(connection, target)
    for batch in _batches(rows):
        added = append(connection, target, head, [_unsigned(row) for row in batch])
        head = Head(added[-1]["position"], added[-1]["sha256"])
    return head


def check_rows(rows: list[Row]) -> None:
    """Check a trail that is in no database.

    Raises
    ------
    StoreError
        ``trail_broken`` at the first row that is not as it was written.
    """
    previous = START
    for place, row in enumerate(rows, 1):
        if row["position"] != place or row["previous_sha256"] != previous or row_digest(previous, row) != row["sha256"]:
            raise StoreError(
                "trail_broken",
                f"Review {place} of the backup is not as it was written.",
                "Use another backup; `brainsift review verify` tells whether a study's own trail is whole.",
            )
        previous = row["sha256"]


def _unsigned(row: Row) -> Row:
    signed = ("id", "study", "position", "previous_sha256", "sha256")
    return {name: value for name, value in row.items() if name not in signed}


def _without_number(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "id"}


def _records(connection: Connection, study: str) -> Iterator[str]:
    query = select(ScanRow.record).where(ScanRow.study == study).order_by(ScanRow.scan)
    yield from connection.execution_options(yield_per=BATCH).scalars(query)


def _rows(connection: Connection, table: Table, study: str) -> Iterator[Row]:
    query = select(table).where(table.c.study == study)
    for row in connection.execution_options(yield_per=BATCH).execute(query).mappings():
        yield _plain(dict(row))


def _plain(row: Row) -> Row:
    """Values as JSON has them; times that SQLite gives back without a zone are UTC."""
    return {
        name: value.replace(tzinfo=value.tzinfo or UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _typed(table: Table, row: Row, study: str) -> Row:
    """A row as the table takes it, in its new study, without its old number."""
    times = {column.name for column in table.columns if isinstance(column.type, DateTime)}
    typed = {name: datetime.fromisoformat(value) if name in times else value for name, value in row.items()}
    typed["study"] = study
    return typed if "id" not in typed else _without_number(typed)


def _record(row: Row) -> Record:
    return parse_record(json.dumps(row), str(row.get("scan")))


def _trail_length(connection: Connection, study: str) -> int:
    return int(connection.scalar(select(func.count()).where(ReviewRow.study == study)) or 0)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    stream = iter(rows)
    while batch := list(islice(stream, BATCH)):
        yield batch
