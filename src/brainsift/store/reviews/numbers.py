"""How fast people are, how far they agree, and what became of catch trials: counted from the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, case, exists, func, select

from brainsift.store.database import Database, translated_errors
from brainsift.store.reviews.schema import CatchRow, ReviewerRow, ReviewRow
from brainsift.store.schema import DecisionRow, ScanRow

if TYPE_CHECKING:
    Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Pace:
    """Decisions of one person in one list, on sheets or one by one, and the seconds that they took in all."""

    reviewer: str
    list_name: str
    on_sheet: bool
    count: int
    seconds: float
    simulated: bool


def paces(database: Database, task: str, since: str = "") -> list[Pace]:
    """Standing decisions but catch trials and those put off, by person, list and way of reading.

    Parameters
    ----------
    since : time of the first to count, as in `ReviewRow.at`.
    """
    on_sheet = case((ReviewRow.sheet.is_(None), 0), else_=1)
    simulated = case((ReviewerRow.simulated, 1), else_=0)
    query = (
        _standing(database, task, ReviewRow.reviewer, ReviewRow.list_name, on_sheet)
        .add_columns(func.count(), func.sum(ReviewRow.milliseconds), func.max(simulated))
        .join(
            ReviewerRow,
            and_(ReviewerRow.study == ReviewRow.study, ReviewerRow.name == ReviewRow.reviewer),
            isouter=True,
        )
        .where(ReviewRow.stage != "catch", ReviewRow.outcome != "later", ReviewRow.at >= since)
        .group_by(ReviewRow.reviewer, ReviewRow.list_name, on_sheet)
    )
    with translated_errors(), database.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [Pace(row[0], row[1], bool(row[2]), row[3], float(row[4]) / 1000, bool(row[5])) for row in rows]


@dataclass(frozen=True)
class Caught:
    """What became of the catch trials of one person: of those with a known fault, how many were called good."""

    reviewer: str
    shown: int
    missed: int


def catches(database: Database, task: str, good_choices: tuple[str, ...]) -> list[Caught]:
    """Catch trials with a known fault, by person."""
    passed = case((ReviewRow.choice.in_(good_choices), 1), else_=0)
    known = and_(CatchRow.study == ReviewRow.study, CatchRow.task == ReviewRow.task, CatchRow.scan == ReviewRow.scan)
    query = (
        _standing(database, task, ReviewRow.reviewer)
        .add_columns(func.count(), func.sum(passed))
        .join(CatchRow, known)
        .where(ReviewRow.stage == "catch", ReviewRow.outcome != "later", CatchRow.good.is_(False))
        .group_by(ReviewRow.reviewer)
    )
    with translated_errors(), database.engine.connect() as connection:
        return [Caught(row[0], row[1], int(row[2])) for row in connection.execute(query)]


def automatic(database: Database, task: str) -> dict[str, int]:
    """What the machine decided: action → scans."""
    query = (
        select(DecisionRow.action, func.count())
        .join(ScanRow, ScanRow.id == DecisionRow.scan_id)
        .where(ScanRow.study == database.study, DecisionRow.task == task)
        .group_by(DecisionRow.action)
    )
    with translated_errors(), database.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def decided_tasks(database: Database) -> list[str]:
    """Tasks about which the machine decided in this study."""
    query = select(DecisionRow.task).join(ScanRow, ScanRow.id == DecisionRow.scan_id)
    with translated_errors(), database.engine.connect() as connection:
        return sorted(connection.scalars(query.where(ScanRow.study == database.study).distinct()))


def _standing(database: Database, task: str, *columns: Any) -> Query:
    """Decisions of a task that nobody took back."""
    taken_back = ReviewRow.__table__.alias()
    undone = exists().where(taken_back.c.study == database.study, taken_back.c.undo_of == ReviewRow.position)
    return (
        select(*columns)
        .select_from(ReviewRow)
        .where(ReviewRow.study == database.study, ReviewRow.task == task, ReviewRow.kind == "decision", ~undone)
    )
