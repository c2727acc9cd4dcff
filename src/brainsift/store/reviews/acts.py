"""Adding acts to the trail: all of one request or none, each key once, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, exists, select, update

from brainsift.store.database import Database, translated_errors
from brainsift.store.reviews.cases import basis_of, events_of, refresh, replay
from brainsift.store.reviews.chain import append, lock_head
from brainsift.store.reviews.leases import close
from brainsift.store.reviews.schema import LeaseRow, ReviewRow

Row = Mapping[str, Any]
"""One row of the trail: the columns of `ReviewRow`."""


class ConflictError(RuntimeError):
    """An act that contradicts one in the trail.

    Parameters
    ----------
    kind : ``key_reused``, ``already_decided``, ``already_undone``, ``no_event`` or ``not_yours``.
    row : the act that is there, if the person may see it.
    """

    def __init__(self, kind: str, row: Row | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.row = row


@dataclass(frozen=True)
class NewAct:
    """What a person did with one scan; see `ReviewRow` for the columns."""

    task: str
    list_name: str
    stage: str
    scan: str
    item: str
    outcome: str
    choice: str | None
    fields: str
    meaning: str
    milliseconds: int
    shown: str
    input_sha256: str
    software: str
    sheet: str | None = None
    second_wanted: bool = False
    model_id: str | None = None
    model_sha256: str | None = None
    machine_action: str | None = None
    machine_label: str | None = None


@dataclass(frozen=True)
class Stamp:
    """Whose request it was, under which key, with which content, and when."""

    reviewer: str
    key: str
    request_sha256: str
    at: str


@dataclass(frozen=True)
class Added:
    """The rows of a request, and whether they were there before it."""

    rows: list[dict[str, Any]]
    repeated: bool = False


def repeated(database: Database, stamp: Stamp) -> Added | None:
    """What was stored under this key, if anything was.

    Raises
    ------
    ConflictError
        ``key_reused``.
    """
    with translated_errors(), database.engine.connect() as connection:
        rows = _under_key(connection, database.study, stamp)
    return Added(rows, repeated=True) if rows else None


def record(database: Database, stamp: Stamp, acts: Sequence[NewAct], until_ms: int) -> Added:
    """Store the decisions of one request, and keep what else the person holds of the lists until `until_ms`.

    Raises
    ------
    ConflictError
        ``key_reused``, or ``already_decided`` for an item, or a scan, on which the person has decided.
    StoreError
        if the database cannot write; the same request may be sent again.
    """
    study = database.study
    with translated_errors(), database.engine.begin() as connection:
        head = lock_head(connection, study)
        if before := _under_key(connection, study, stamp):
            return Added(before, repeated=True)
        for act in acts:
            _refuse_second_word(connection, study, stamp.reviewer, act)
        rows = [
            {**asdict(act), **asdict(stamp), "part": part, "kind": "decision", "undo_of": None}
            for part, act in enumerate(acts)
        ]
        added = append(connection, study, head, rows)
        for act in acts:
            if act.stage != "catch":
                refresh(connection, study, act.task, act.scan)
        close(connection, [act.item for act in acts])
        _keep(connection, study, stamp.reviewer, {(act.task, act.list_name) for act in acts}, until_ms)
        return Added(added)


def decision_on(database: Database, item: str) -> dict[str, Any] | None:
    """The decision that stands about an item."""
    query = _decisions(database.study).where(ReviewRow.item == item)
    with translated_errors(), database.engine.connect() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def undo(database: Database, stamp: Stamp, position: int | None, software: str) -> tuple[Added, dict[str, Any]]:
    """Take back one of the person's decisions by a new row; None: the latest that stands.

    Returns
    -------
    the new row, and the decision that it takes back.

    Raises
    ------
    ConflictError
        ``key_reused``, ``no_event``, ``not_yours``, ``already_undone``.
    """
    study = database.study
    with translated_errors(), database.engine.begin() as connection:
        head = lock_head(connection, study)
        if before := _under_key(connection, study, stamp):
            return Added(before, repeated=True), _at(connection, study, int(before[0]["undo_of"]))
        target = _latest(connection, study, stamp.reviewer) if position is None else _at(connection, study, position)
        _refuse_undo(connection, study, stamp.reviewer, target)
        row = {**target, **asdict(stamp), "part": 0, "kind": "undo", "outcome": "undo", "choice": None}
        row |= {"fields": "{}", "item": None, "sheet": None, "milliseconds": 0, "shown": "{}", "second_wanted": False}
        row |= {"meaning": "I take back what I said of this scan.", "undo_of": target["position"], "software": software}
        row.pop("id")
        added = append(connection, study, head, [row])
        if target["stage"] != "catch":
            refresh(connection, study, target["task"], target["scan"])
        return Added(added), target


def history(database: Database, reviewer: str, limit: int) -> list[dict[str, Any]]:
    """A person's latest rows, newest first, each with `undone_by`."""
    taken_back = ReviewRow.__table__.alias()
    query = (
        select(ReviewRow.__table__, taken_back.c.position.label("undone_by"))
        .join(
            taken_back,
            (taken_back.c.study == ReviewRow.study) & (taken_back.c.undo_of == ReviewRow.position),
            isouter=True,
        )
        .where(ReviewRow.study == database.study, ReviewRow.reviewer == reviewer)
        .order_by(ReviewRow.position.desc())
        .limit(limit)
    )
    with translated_errors(), database.engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _under_key(connection: Connection, study: str, stamp: Stamp) -> list[dict[str, Any]]:
    query = select(ReviewRow.__table__).where(ReviewRow.study == study, ReviewRow.key == stamp.key)
    rows = [dict(row) for row in connection.execute(query.order_by(ReviewRow.part)).mappings()]
    if rows and (rows[0]["reviewer"], rows[0]["request_sha256"]) != (stamp.reviewer, stamp.request_sha256):
        raise ConflictError("key_reused")
    return rows


def _keep(connection: Connection, study: str, holder: str, lists: set[tuple[str, str]], until_ms: int) -> None:
    for task, name in lists:
        held = (LeaseRow.study == study, LeaseRow.holder == holder, LeaseRow.task == task, LeaseRow.list_name == name)
        connection.execute(update(LeaseRow).where(*held, LeaseRow.slot != LeaseRow.item).values(until_ms=until_ms))


def _refuse_second_word(connection: Connection, study: str, reviewer: str, act: NewAct) -> None:
    """One item has one decision that stands; and nobody is their own second reader."""
    query = _decisions(study).where(ReviewRow.item == act.item)
    if (row := connection.execute(query).mappings().first()) is not None:
        raise ConflictError("already_decided", dict(row))
    if act.stage == "catch":
        return
    events = events_of(connection, study, act.task, act.scan)
    basis = basis_of(act.task, act.input_sha256, act.model_sha256)
    case = replay(events, basis)
    if case is not None and reviewer in case.readers:
        own = [e for e in events if e["reviewer"] == reviewer and e["kind"] == "decision" and e["outcome"] != "later"]
        raise ConflictError("already_decided", dict(max(own, key=lambda e: int(e["position"]))))


def _at(connection: Connection, study: str, position: int) -> dict[str, Any]:
    query = select(ReviewRow.__table__).where(ReviewRow.study == study, ReviewRow.position == position)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise ConflictError("no_event")
    return dict(row)


def _latest(connection: Connection, study: str, reviewer: str) -> dict[str, Any]:
    """The person's latest decision that is not taken back."""
    query = _decisions(study).where(ReviewRow.reviewer == reviewer).order_by(ReviewRow.position.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise ConflictError("no_event")
    return dict(row)


def _decisions(study: str) -> Any:
    """Decisions that nobody took back."""
    taken_back = ReviewRow.__table__.alias()
    undone = exists().where(taken_back.c.study == study, taken_back.c.undo_of == ReviewRow.position)
    return select(ReviewRow.__table__).where(ReviewRow.study == study, ReviewRow.kind == "decision", ~undone)


def _refuse_undo(connection: Connection, study: str, reviewer: str, target: Row) -> None:
    if target["kind"] != "decision":
        raise ConflictError("no_event")
    if target["reviewer"] != reviewer:
        raise ConflictError("not_yours")
    query = select(ReviewRow.__table__).where(ReviewRow.study == study, ReviewRow.undo_of == target["position"])
    if (row := connection.execute(query).mappings().one_or_none()) is not None:
        raise ConflictError("already_undone", dict(row))
