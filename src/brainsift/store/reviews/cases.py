"""How far people have come with a scan: a pure function of the acts on it, kept in a table to be searched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from brainsift.store.reviews.schema import CaseRow, ReviewRow

State = Literal["first", "second", "adjudication", "done", "undecided"]

ABOUT_OUTPUT = ("wmh", "microbleeds")
"""Tasks in which people judge what the machine drew: a new model asks them again. Elsewhere they judge the scan."""

LOOKED_AT = "review"
"""The list to which a scan goes that was marked on a sheet to be looked at."""


@dataclass(frozen=True)
class Case:
    """What stands about one scan in one task.

    Attributes
    ----------
    basis : what was judged (`basis_of`); with another content the case starts again.
    state : which reading is due, or that none is.
    home : list in which the due reading is given out.
    readers : who has read it, in order, the adjudicator last.
    choice, fields, position, by : the answer that stands once `state` is ``done``, and the act and person it is from.
    """

    basis: str
    state: State
    home: str
    readers: tuple[str, ...] = ()
    choice: str | None = None
    fields: str = "{}"
    position: int | None = None
    by: str | None = None


def basis_of(task: str, input_sha256: str, model_sha256: str | None) -> str:
    """What a person judges: the scan's content, and for a drawing of the machine also by which model."""
    return f"{input_sha256}:{model_sha256 or ''}" if task in ABOUT_OUTPUT else input_sha256


def basis_of_act(act: Mapping[str, Any]) -> str:
    """What was judged in one row of the trail."""
    return basis_of(act["task"], act["input_sha256"], act["model_sha256"])


def standing(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The decisions that nobody took back, in order, catch trials left out."""
    given = sorted(events, key=lambda event: int(event["position"]))
    undone = {event["undo_of"] for event in given if event["kind"] == "undo"}
    return [e for e in given if e["kind"] == "decision" and e["stage"] != "catch" and e["position"] not in undone]


def replay(events: Iterable[Mapping[str, Any]], basis: str | None = None) -> Case | None:
    """What stands about a scan after these acts; None where nothing does.

    Parameters
    ----------
    events : rows of the trail of one scan and task.
    basis : acts on another content or model do not count; None: that of the latest act which stands.
    """
    acts = [event for event in standing(events) if event["outcome"] != "later"]
    if not acts:
        return None
    basis = basis or basis_of_act(acts[-1])
    acts = [act for act in acts if basis_of_act(act) == basis]
    if not acts:
        return None
    readings = [act for act in acts if act["stage"] == "reading" and act["outcome"] != "look"]
    looked = any(act["outcome"] == "look" for act in acts)
    home = LOOKED_AT if looked else acts[0]["list_name"]
    readers = tuple(act["reviewer"] for act in readings)
    rulings = [act for act in acts if act["stage"] == "adjudication"]
    if rulings:
        return _ruled(rulings[-1], basis, home, readers)
    state = _state(readings)
    last = readings[0] if state == "done" else None
    if last is None:
        return Case(basis, state, home, readers)
    return Case(basis, state, home, readers, last["choice"], last["fields"], last["position"], last["reviewer"])


def _ruled(act: Mapping[str, Any], basis: str, home: str, readers: tuple[str, ...]) -> Case:
    readers = (*readers, act["reviewer"])
    if act["outcome"] == "answer":
        return Case(
            basis, "done", home, readers, act["choice"], act["fields"], int(act["position"]), str(act["reviewer"])
        )
    return Case(basis, "undecided", home, readers)


def _state(readings: list[Mapping[str, Any]]) -> State:
    if not readings:
        return "first"
    if any(act["outcome"] == "cannot_tell" for act in readings):
        return "adjudication"
    if len(readings) == 1:
        return "second" if readings[0]["second_wanted"] else "done"
    return "done" if len({act["choice"] for act in readings}) == 1 else "adjudication"


def events_of(connection: Connection, study: str, task: str, scan: str) -> list[Mapping[str, Any]]:
    """All rows of the trail about one scan in one task."""
    query = select(ReviewRow.__table__).where(ReviewRow.study == study, ReviewRow.task == task, ReviewRow.scan == scan)
    return [dict(row) for row in connection.execute(query).mappings()]


def refresh(connection: Connection, study: str, task: str, scan: str) -> Case | None:
    """Work out the case of a scan anew from the trail and keep it; the caller holds the head of the trail."""
    case = replay(events_of(connection, study, task, scan))
    place = {"study": study, "task": task, "scan": scan}
    if case is None:
        connection.execute(delete(CaseRow).filter_by(**place))
        return None
    values = case_values(case)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(CaseRow).values(**place, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(place), set_=values))
    return case


def case_values(case: Case) -> dict[str, Any]:
    """Columns of `CaseRow` beside its key."""
    first, second = (*case.readers, None, None)[:2]
    return {
        "basis": case.basis,
        "state": case.state,
        "home": case.home,
        "first_reader": first,
        "second_reader": second,
        "choice": case.choice,
        "fields": json.dumps(json.loads(case.fields), sort_keys=True),
        "position": case.position,
    }
