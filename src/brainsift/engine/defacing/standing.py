"""Where each scan stands between a machine's verdict, people's word, new attempts and the end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from brainsift.decide.decision import Action
from brainsift.engine.defacing.attempts import Chains
from brainsift.store.database import Database
from brainsift.store.record import Record
from brainsift.store.reviews.cases import Case
from brainsift.store.reviews.verdicts import verdicts
from brainsift.tasks.base import Finding
from brainsift.tasks.defacing.average import FEATURES
from brainsift.tasks.defacing.network import CLASSES
from brainsift.tasks.defacing.remedy import Remedy, remedy_for

TASK = "defacing"
PASSED_CHOICE = "correct"
GIVEN_UP_FIELD = "cannot_be_defaced"


class State(StrEnum):
    """What is to happen with a scan."""

    WAITING = "waiting"
    PASSED = "passed"
    REMEDY = "remedy"
    SUPERSEDED = "superseded"
    GIVEN_UP = "cannot_be_defaced"


@dataclass(frozen=True)
class Standing:
    """One scan.

    Attributes
    ----------
    record : newest record of it.
    state : see `State`.
    by : ``person`` or ``machine``, whose word it is.
    label : class of the failure, or ``correct``.
    left : features that are left.
    case : people's word, where there is any.
    number : of the attempt that made it; 1 for a scan of INPUT.
    origin : scan of INPUT that it goes back to.
    """

    record: Record
    state: State
    by: str
    label: str
    left: tuple[str, ...]
    case: Case | None
    number: int
    origin: str

    @property
    def remedy(self) -> Remedy:
        """What to do about it."""
        finding = self.record.finding(TASK)
        touched = finding is None or "not_applied" not in finding.flags
        return remedy_for(self.label if self.label in CLASSES else "failed", self.left, touched=touched)


def standings(database: Database, chains: Chains) -> Iterator[Standing]:
    """Every scan that has a finding of the task, in the order of names."""
    said = verdicts(database, TASK)
    for record in database.records():
        finding = record.finding(TASK)
        if finding is not None:
            yield stand(record, finding, said.get(record.scan), chains)


def stand(record: Record, finding: Finding, case: Case | None, chains: Chains) -> Standing:
    """Where one scan stands: a newer attempt replaces it, then people's word counts, then the machine's."""
    origin = chains.origin(record.scan)
    decided = case if case is not None and case.state == "done" and case.choice else None
    fields: Mapping[str, object] = json.loads(decided.fields) if decided else {}
    state, by, label = _state(record, finding, decided, fields)
    if chains.newest(origin) != record.scan:
        state = State.SUPERSEDED
    elif state is not State.PASSED and chains.given_up(origin) is not None:
        state = State.GIVEN_UP
    left = _left(fields if decided else {name: name in finding.flags for name in FEATURES})
    return Standing(record, state, by, label, left, case, chains.number(record.scan), origin)


def _state(
    record: Record, finding: Finding, decided: Case | None, fields: Mapping[str, object]
) -> tuple[State, str, str]:
    if decided is not None:
        if decided.choice == PASSED_CHOICE:
            return State.PASSED, "person", PASSED_CHOICE
        given_up = fields.get(GIVEN_UP_FIELD) is True
        return (State.GIVEN_UP if given_up else State.REMEDY), "person", str(decided.choice)
    decision = record.decision(TASK)
    surely_failed = decision is not None and decision.action is Action.REJECT
    return (State.REMEDY if surely_failed else State.WAITING), "machine", finding.label


def _left(fields: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(name for name in FEATURES if fields.get(name) is True)
