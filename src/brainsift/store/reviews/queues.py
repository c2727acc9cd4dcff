"""Which scans are due for which person: the machine's decisions on one side, what people said on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select

from brainsift.store.database import Database, translated_errors
from brainsift.store.reviews.cases import ABOUT_OUTPUT
from brainsift.store.reviews.schema import CaseRow, CatchRow, LeaseRow, ReviewRow
from brainsift.store.schema import DecisionRow, FindingRow, ScanRow

if TYPE_CHECKING:
    Query = Select[*tuple[Any, ...]]

HEX_DIGITS = 8
"""A share is compared with this many digits of the content's SHA-256: as good as chance, and always the same."""


@dataclass(frozen=True)
class Source:
    """Which of the machine's decisions feed a list.

    Attributes
    ----------
    actions : ``accept``, ``reject``, ``refer``.
    share : of them, drawn by content.
    """

    actions: tuple[str, ...]
    share: float = 1.0


@dataclass(frozen=True)
class Due:
    """A scan that a person could be given, and the reading that is due."""

    scan: str
    state: str
    basis: str


@dataclass(frozen=True)
class Asker:
    """Who asks for scans, in which task and list, at which time (milliseconds since 1970)."""

    reviewer: str
    task: str
    list_name: str
    now_ms: int


def due_first(database: Database, asker: Asker, source: Source, limit: int, start: int = 0) -> list[Due]:
    """Scans of a list that nobody has read; those that the person put off come last, longest ago first.

    Parameters
    ----------
    start : number of a decision before which all scans have been read (`first_unread`); what was decided before is not
        looked through again.
    """
    query = _unread(database, asker.task, source).where(_free(database, asker), DecisionRow.id >= start)
    put_off = _put_off(database, asker)
    fresh = _run(database, query.where(ScanRow.scan.not_in(select(put_off.c.scan))).order_by(DecisionRow.id), limit)
    if len(fresh) >= limit:
        return fresh
    later = query.join(put_off, put_off.c.scan == ScanRow.scan).order_by(put_off.c.latest)
    return fresh + _run(database, later, limit - len(fresh))


def first_unread(database: Database, task: str, source: Source, start: int) -> int:
    """Number of the first decision from `start` on whose scan nobody has read, held or not; `start` if all are read."""
    query = _unread(database, task, source).where(DecisionRow.id >= start).order_by(DecisionRow.id).limit(1)
    with translated_errors(), database.engine.connect() as connection:
        found = connection.scalar(query.with_only_columns(DecisionRow.id))
    return start if found is None else int(found)


def _unread(database: Database, task: str, source: Source) -> Query:
    return _scans(database, task, CaseRow.state).where(CaseRow.scan.is_(None), _feeds(source))


def due_again(database: Database, asker: Asker, states: Sequence[str], limit: int) -> list[Due]:
    """Scans that somebody has read or sent on, and that are due for a reading by this person."""
    mine = asker.reviewer
    query = _scans(database, asker.task, CaseRow.state).where(
        CaseRow.state.in_(states),
        *([] if "adjudication" in states else [CaseRow.home == asker.list_name]),
        or_(CaseRow.first_reader.is_(None), CaseRow.first_reader != mine),
        or_(CaseRow.second_reader.is_(None), CaseRow.second_reader != mine),
        _free(database, asker),
    )
    put_off = _put_off(database, asker)
    ordered = query.join(put_off, put_off.c.scan == ScanRow.scan, isouter=True)
    return _run(database, ordered.order_by(func.coalesce(put_off.c.latest, 0), CaseRow.scan), limit)


def due_catches(database: Database, asker: Asker, limit: int) -> list[Due]:
    """Scans with a known answer that this person has neither seen nor holds."""
    seen = exists().where(
        ReviewRow.study == database.study,
        ReviewRow.task == asker.task,
        ReviewRow.scan == ScanRow.scan,
        ReviewRow.reviewer == asker.reviewer,
        ReviewRow.stage == "catch",
    )
    held = exists().where(
        LeaseRow.study == database.study,
        LeaseRow.task == asker.task,
        LeaseRow.scan == ScanRow.scan,
        LeaseRow.holder == asker.reviewer,
    )
    query = (
        select(ScanRow.scan, literal("catch"), ScanRow.sha256)
        .join(CatchRow, and_(CatchRow.study == ScanRow.study, CatchRow.scan == ScanRow.scan))
        .where(CatchRow.study == database.study, CatchRow.task == asker.task, _usable(database), ~seen, ~held)
        .order_by(func.random())
    )
    return _run(database, query, limit)


@dataclass(frozen=True)
class Standing:
    """How many scans stand where: what the machine said, whether a share drew it, and what people said."""

    action: str
    drawn: bool
    home: str | None
    state: str | None
    count: int


def count_standing(database: Database, task: str, share: float) -> list[Standing]:
    """All scans of a task, counted by decision, draw, list and state."""
    drawn = func.substr(ScanRow.sha256, 1, HEX_DIGITS) < _mark(share)
    query = (
        _joined(select(DecisionRow.action, drawn, CaseRow.home, CaseRow.state, func.count()), database, task)
        .where(_usable(database), ~_is_catch(database, task))
        .group_by(DecisionRow.action, drawn, CaseRow.home, CaseRow.state)
    )
    with translated_errors(), database.engine.connect() as connection:
        return [Standing(row[0], bool(row[1]), *row[2:]) for row in connection.execute(query)]


def count_own_seconds(database: Database, task: str, reviewer: str) -> dict[str, int]:
    """List → scans that wait for a second reader and have this person as their first."""
    query = (
        select(CaseRow.home, func.count())
        .where(CaseRow.study == database.study, CaseRow.task == task, CaseRow.state == "second")
        .where(CaseRow.first_reader == reviewer)
        .group_by(CaseRow.home)
    )
    with translated_errors(), database.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _scans(database: Database, task: str, state: Any) -> Query:
    query = select(ScanRow.scan, func.coalesce(state, "first"), _basis(task))
    return _joined(query, database, task).where(_usable(database), ~_is_catch(database, task))


def _joined(query: Query, database: Database, task: str) -> Query:
    """Decisions of a task with their scans and, where people judged the same content, their case."""
    query = query.select_from(DecisionRow).join(ScanRow, ScanRow.id == DecisionRow.scan_id)
    if task in ABOUT_OUTPUT:
        query = query.join(FindingRow, and_(FindingRow.scan_id == ScanRow.id, FindingRow.task == task))
    same = and_(
        CaseRow.study == ScanRow.study,
        CaseRow.task == task,
        CaseRow.scan == ScanRow.scan,
        CaseRow.basis == _basis(task),
    )
    return query.join(CaseRow, same, isouter=True).where(DecisionRow.task == task, ScanRow.study == database.study)


def _basis(task: str) -> ColumnElement[str | None]:
    """`cases.basis_of` in SQL; NULL for a scan whose content is not known."""
    about_scan: ColumnElement[str | None] = ScanRow.sha256.expression
    return about_scan + ":" + func.coalesce(FindingRow.model_sha256, "") if task in ABOUT_OUTPUT else about_scan


def present_bases(database: Database, task: str) -> dict[str, str]:
    """Scan → what people would judge of it today."""
    query = select(ScanRow.scan, _basis(task)).where(ScanRow.study == database.study, ScanRow.sha256.is_not(None))
    if task in ABOUT_OUTPUT:
        query = query.join(FindingRow, and_(FindingRow.scan_id == ScanRow.id, FindingRow.task == task))
    with translated_errors(), database.engine.connect() as connection:
        return {row[0]: str(row[1]) for row in connection.execute(query)}


def _usable(database: Database) -> ColumnElement[bool]:
    """A scan whose content is known and not that of another one; the same content is not asked for twice."""
    return and_(ScanRow.study == database.study, ScanRow.sha256.is_not(None), ScanRow.duplicate_of.is_(None))


def _is_catch(database: Database, task: str) -> ColumnElement[bool]:
    return exists().where(CatchRow.study == database.study, CatchRow.task == task, CatchRow.scan == ScanRow.scan)


def _feeds(source: Source) -> ColumnElement[bool]:
    acted = DecisionRow.action.in_(source.actions)
    return acted if source.share >= 1 else and_(acted, func.substr(ScanRow.sha256, 1, HEX_DIGITS) < _mark(source.share))


def is_drawn(sha256: str, share: float) -> bool:
    """Whether a digest falls into a share of all digests."""
    return sha256[:HEX_DIGITS] < _mark(share)


def _mark(share: float) -> str:
    """Digits below which a content's SHA-256 falls with this probability; above all of them for 1."""
    return "g" if share >= 1 else f"{int(share * 16**HEX_DIGITS):0{HEX_DIGITS}x}"


def _free(database: Database, asker: Asker) -> ColumnElement[bool]:
    """Nobody holds it."""
    return ~exists().where(
        LeaseRow.study == database.study,
        LeaseRow.task == asker.task,
        LeaseRow.scan == ScanRow.scan,
        LeaseRow.slot == "",
        LeaseRow.until_ms >= asker.now_ms,
    )


def _put_off(database: Database, asker: Asker) -> Any:
    return (
        select(ReviewRow.scan, func.max(ReviewRow.position).label("latest"))
        .where(ReviewRow.study == database.study, ReviewRow.reviewer == asker.reviewer, ReviewRow.task == asker.task)
        .where(ReviewRow.outcome == "later", ReviewRow.kind == "decision")
        .group_by(ReviewRow.scan)
        .subquery()
    )


def _run(database: Database, query: Query, limit: int) -> list[Due]:
    with translated_errors(), database.engine.connect() as connection:
        return [Due(*row) for row in connection.execute(query.limit(limit))]
