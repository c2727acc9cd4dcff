"""Handing scans to people so that no two look at the same one, also when one of them goes away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from brainsift.store.database import Database, translated_errors
from brainsift.store.reviews.chain import lock_head
from brainsift.store.reviews.schema import CaseRow, LeaseRow

KEEP_S = 7 * 24 * 3600
"""How long what was handed out is kept after its end, so that a late answer still finds it."""


@dataclass(frozen=True)
class Lease:
    """A scan in a person's hand; times in milliseconds since 1970, `offered` is JSON of what was handed out."""

    item: str
    task: str
    scan: str
    slot: str
    holder: str
    list_name: str
    stage: str
    sheet: str | None
    rank: int
    decided: bool
    taken_ms: int
    until_ms: int
    offered: str


@dataclass(frozen=True)
class Wanted:
    """A scan that somebody would like to take, if its case is still what it was seen to be.

    Attributes
    ----------
    state : the reading that is due, as seen: ``first``, ``second``, ``adjudication``; None for a catch trial.
    basis : of that reading.
    """

    lease: Lease
    state: str | None
    basis: str


def claim(database: Database, wanted: Sequence[Wanted], limit: int, now_ms: int) -> list[Lease]:
    """Take scans in the order wanted, up to `limit`, leaving out those that somebody else took first.

    One person after the other, by the lock of the trail: nobody waits for two scans at once, and a scan that was just
    decided is seen to be. A lease that ran out is passed on: its row steps aside and stays, so that a late answer finds
    what was shown.
    """
    taken: list[Lease] = []
    if not wanted:
        return taken
    with translated_errors(), database.engine.begin() as connection:
        lock_head(connection, database.study)
        for one in wanted:
            if len(taken) == limit:
                break
            if _claim(connection, database.study, one, now_ms):
                taken.append(one.lease)
    return taken


def fill(database: Database, taken: Sequence[Lease]) -> None:
    """Note what is handed out, and in which order. Where the server is killed before, `offered` stays empty."""
    if not taken:
        return
    with translated_errors(), database.engine.begin() as connection:
        for lease in taken:
            own = update(LeaseRow).where(LeaseRow.item == lease.item)
            connection.execute(own.values(offered=lease.offered, rank=lease.rank))


def _claim(connection: Connection, study: str, wanted: Wanted, now_ms: int) -> bool:
    lease = wanted.lease
    place = and_(
        LeaseRow.study == study, LeaseRow.task == lease.task, LeaseRow.scan == lease.scan, LeaseRow.slot == lease.slot
    )
    connection.execute(update(LeaseRow).where(place, LeaseRow.until_ms < now_ms).values(slot=LeaseRow.item))
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    added = dialect.insert(LeaseRow).values(study=study, **asdict(lease)).on_conflict_do_nothing()
    if connection.scalar(added.returning(LeaseRow.item)) is None:
        return False
    if wanted.state is None or _is_due(connection, study, wanted):
        return True
    connection.execute(delete(LeaseRow).where(LeaseRow.item == lease.item))
    return False


def _is_due(connection: Connection, study: str, wanted: Wanted) -> bool:
    """Whether the reading is still due: somebody may have finished it since it was seen."""
    lease = wanted.lease
    query = select(CaseRow.state, CaseRow.basis, CaseRow.first_reader, CaseRow.second_reader).where(
        CaseRow.study == study, CaseRow.task == lease.task, CaseRow.scan == lease.scan
    )
    case = connection.execute(query).one_or_none()
    if case is None or case.basis != wanted.basis:
        return wanted.state == "first"
    return bool(case.state == wanted.state) and lease.holder not in (case.first_reader, case.second_reader)


def in_hand(database: Database, holder: str, task: str, list_name: str, until_ms: int) -> list[Lease]:
    """What a person holds of a list, sheets included, oldest first; renewed."""
    return _renewed(
        database, until_ms, LeaseRow.holder == holder, LeaseRow.task == task, LeaseRow.list_name == list_name
    )


def renew(database: Database, holder: str, items: Sequence[str], until_ms: int) -> list[Lease]:
    """Keep what a person holds; those that are not returned were passed on or decided."""
    return _renewed(database, until_ms, LeaseRow.holder == holder, LeaseRow.item.in_(items)) if items else []


def _renewed(database: Database, until_ms: int, *conditions: Any) -> list[Lease]:
    held = update(LeaseRow).where(LeaseRow.study == database.study, LeaseRow.slot != LeaseRow.item, *conditions)
    with translated_errors(), database.engine.begin() as connection:
        rows = connection.execute(held.values(until_ms=until_ms).returning(*_COLUMNS)).all()
    return sorted((Lease(*row) for row in rows), key=lambda lease: (lease.rank, lease.item))


def find(database: Database, item: str) -> Lease | None:
    """What was handed out under this item, also if it was passed on since."""
    return next(iter(_found(database, LeaseRow.item == item)), None)


def of_sheet(database: Database, sheet: str) -> list[Lease]:
    """The scans of a sheet in their order, also those that were passed on since."""
    return _found(database, LeaseRow.sheet == sheet)


def release(database: Database, holder: str, items: Iterable[str]) -> None:
    """Give scans back unread."""
    with translated_errors(), database.engine.begin() as connection:
        own = (LeaseRow.study == database.study, LeaseRow.holder == holder, LeaseRow.item.in_(list(items)))
        connection.execute(delete(LeaseRow).where(*own, LeaseRow.decided.is_(False)))


def close(connection: Connection, items: Sequence[str]) -> None:
    """Free the scans that were decided, within the transaction that stores the decisions."""
    decided = update(LeaseRow).where(LeaseRow.item.in_(items))
    connection.execute(decided.values(slot=LeaseRow.item, decided=True))


def reopen(database: Database, lease: Lease) -> Lease | None:
    """Hand a scan out again under its old item, after an undo; None where somebody else holds it by now.

    Also then the item may be decided again, as one more reading.
    """
    values = {name: value for name, value in asdict(lease).items() if name != "item"}
    aside = {**values, "slot": lease.item, "decided": False}
    with translated_errors(), database.engine.begin() as connection:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        stored = dialect.insert(LeaseRow).values(study=database.study, item=lease.item, **aside)
        connection.execute(stored.on_conflict_do_update(index_elements=["item"], set_=aside))
        dead = and_(
            LeaseRow.study == database.study,
            LeaseRow.task == lease.task,
            LeaseRow.scan == lease.scan,
            LeaseRow.slot == lease.slot,
            LeaseRow.until_ms < lease.taken_ms,
        )
        connection.execute(update(LeaseRow).where(dead).values(slot=LeaseRow.item))
    with translated_errors():
        try:
            with database.engine.begin() as connection:
                connection.execute(update(LeaseRow).where(LeaseRow.item == lease.item).values(slot=lease.slot))
        except IntegrityError:
            return None
    return lease


def sweep(database: Database, now_ms: int) -> None:
    """Forget what was handed out long ago."""
    with translated_errors(), database.engine.begin() as connection:
        old = LeaseRow.until_ms < now_ms - 1000 * KEEP_S
        connection.execute(delete(LeaseRow).where(LeaseRow.study == database.study, old))


def count_leased(database: Database, task: str, now_ms: int) -> dict[tuple[str, str], int]:
    """List and holder → scans held now."""
    query = (
        select(LeaseRow.list_name, LeaseRow.holder, func.count())
        .where(LeaseRow.study == database.study, LeaseRow.task == task)
        .where(LeaseRow.until_ms >= now_ms, LeaseRow.slot != LeaseRow.item)
        .group_by(LeaseRow.list_name, LeaseRow.holder)
    )
    with translated_errors(), database.engine.connect() as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def _found(database: Database, condition: Any) -> list[Lease]:
    query = select(*_COLUMNS).where(LeaseRow.study == database.study, condition)
    with translated_errors(), database.engine.connect() as connection:
        return [Lease(*row) for row in connection.execute(query.order_by(LeaseRow.rank, LeaseRow.item))]


_COLUMNS = tuple(getattr(LeaseRow, name) for name in Lease.__dataclass_fields__)
