"""The trail as a chain: each row's digest holds that of the row before, so that no row can be changed unseen."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from brainsift.store.database import Database, translated_errors
from brainsift.store.reviews.schema import ChainRow, ReviewRow

START = hashlib.sha256(b"brainsift review trail 1").hexdigest()
"""Stands before the first row; names this way of hashing."""

CHAINED = tuple(
    column.name for column in ReviewRow.__table__.columns if column.name not in ("id", "previous_sha256", "sha256")
)
"""Columns that are hashed, in the order of the table. A new column needs a new `START`."""

READ_CHUNK = 1000


@dataclass(frozen=True)
class Head:
    """The end of the trail: how many rows, and the digest of the last."""

    length: int
    sha256: str


@dataclass(frozen=True)
class Fault:
    """The first row that is not as it was written, and what is wrong with it."""

    position: int
    cause: str


@dataclass(frozen=True)
class Trail:
    """What a check found; `head` is that of the rows which are there."""

    events: int
    head: str
    fault: Fault | None = None

    @property
    def whole(self) -> bool:
        """Whether every row is as it was written."""
        return self.fault is None


def row_digest(previous: str, row: Mapping[str, Any]) -> str:
    """SHA-256 over the row before and all columns of this one, as JSON without spaces."""
    text = json.dumps([previous, *(row[name] for name in CHAINED)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def lock_head(connection: Connection, study: str) -> Head:
    """Wait for the turn to add to the trail, and hold it until the transaction ends.

    Must be the first statement of the transaction: SQLite takes the write lock with it and cannot later find that what
    it read is stale; PostgreSQL locks the row and reads what the writer before committed.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    ident = secrets.token_hex(8)
    started = dialect.insert(ChainRow).values(study=study, ident=ident, length=0, sha256=START)
    own = {"study": started.excluded.study}
    taken = started.on_conflict_do_update(index_elements=["study"], set_=own)
    row = connection.execute(taken.returning(ChainRow.length, ChainRow.sha256)).one()
    return Head(row.length, row.sha256)


def study_ident(database: Database) -> str:
    """A name of the study that no other study has and that stays; drawn when it is first asked for."""
    with translated_errors(), database.engine.begin() as connection:
        lock_head(connection, database.study)
        return str(connection.scalar(select(ChainRow.ident).where(ChainRow.study == database.study)))


def append(connection: Connection, study: str, head: Head, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add rows behind `head`, which this transaction holds, and return them with position and digests."""
    added: list[dict[str, Any]] = []
    position, previous = head.length, head.sha256
    for given in rows:
        position += 1
        row = {**given, "study": study, "position": position}
        row |= {"previous_sha256": previous, "sha256": row_digest(previous, row)}
        previous = row["sha256"]
        added.append(row)
    connection.execute(insert(ReviewRow), added)
    connection.execute(update(ChainRow).where(ChainRow.study == study).values(length=position, sha256=previous))
    return added


def trail_head(database: Database) -> Head:
    """The end of the trail as it is noted, without reading the trail."""
    with translated_errors(), database.engine.connect() as connection:
        return _noted(connection, database.study)


def check_trail(database: Database, expected: Head | None = None) -> Trail:
    """Read the whole trail and find the first row that is not as it was written.

    Parameters
    ----------
    database : the study.
    expected : a length and digest that were noted earlier, outside of the database: the trail must still run through
        it. Only this shows a trail that was made anew from some row on, digests and all.
    """
    previous, count, fault, met = START, 0, None, expected in (None, Head(0, START))
    with translated_errors(), snapshot(database) as connection:
        noted = _noted(connection, database.study)
        for row in rows_of(connection, database.study):
            fault = fault or _fault(row, count + 1, previous)
            count, previous = count + 1, row["sha256"]
            met = met or expected == Head(row["position"], row["sha256"])
    if fault is None and (count, previous) != (noted.length, noted.sha256):
        fault = Fault(count + 1, f"{noted.length} rows were written and {count} are there: the end is not as it was.")
    if fault is None and expected is not None and not met:
        fault = Fault(expected.length, "The digest is not the one that was noted: rows up to it were made anew.")
    return Trail(count, previous, fault)


def rows_of(connection: Connection, study: str) -> Iterator[dict[str, Any]]:
    """All rows of the trail in order, a few at a time."""
    query = select(ReviewRow.__table__).where(ReviewRow.study == study).order_by(ReviewRow.position)
    yield from map(dict, connection.execution_options(yield_per=READ_CHUNK).execute(query).mappings())


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """A connection whose queries all see one moment, while others go on writing."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        else:
            connection.exec_driver_sql("BEGIN")  # the driver begins by itself only before it writes
        yield connection


def _noted(connection: Connection, study: str) -> Head:
    row = connection.execute(select(ChainRow.length, ChainRow.sha256).where(ChainRow.study == study)).one_or_none()
    return Head(0, START) if row is None else Head(row.length, row.sha256)


def _fault(row: Mapping[str, Any], expected: int, previous: str) -> Fault | None:
    position = row["position"]
    if position != expected:
        return Fault(expected, f"Row {expected} is missing; the next one there is row {position}.")
    if row["previous_sha256"] != previous:
        return Fault(position, "It does not follow from the row before: one of the two was replaced.")
    if row_digest(previous, row) != row["sha256"]:
        return Fault(position, "Its content does not match its digest: it was changed after it was written.")
    return None
