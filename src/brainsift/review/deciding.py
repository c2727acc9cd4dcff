"""Taking a person's word: checked, put beside what was shown, stored once, answered with what the machine had said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from brainsift import __version__
from brainsift.review.desk import Desk, now_ms, time_text
from brainsift.review.errors import RefusedError, invalid
from brainsift.review.offer import machine_view
from brainsift.review.questions import Question
from brainsift.store.reviews import acts, leases, queues
from brainsift.store.reviews.acts import Added, ConflictError, NewAct, Stamp
from brainsift.store.reviews.leases import Lease
from brainsift.store.reviews.people import Reviewer, reviewers

SOFTWARE = f"brainsift {__version__}"

TELLS = {
    "key_reused": ("This key was used for another act.", "Reload the page."),
    "already_decided": ("You have decided about this scan already.", "Go on with the next one."),
    "already_undone": ("This was taken back already.", "Go on with the next one."),
    "no_event": ("There is nothing to take back.", "Look at the history."),
    "not_yours": ("This was somebody else's act.", "Only they can take it back; an adjudicator can decide anew."),
}


@dataclass(frozen=True)
class Answer:
    """What a person said of one item."""

    item: str
    outcome: str
    choice: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sign:
    """Key, seconds and what was on the screen, of one decision or of a sheet."""

    key: str
    seconds: float
    shown: Mapping[str, Any]


def decide(desk: Desk, person: Reviewer, answer: Answer, sign: Sign) -> dict[str, Any]:
    """Store one decision; see docs/review_api.md."""
    stamp = _stamp(person, sign, ["decide", answer.item, answer.outcome, answer.choice, dict(answer.fields)])
    with _told(desk):
        before = acts.repeated(desk.database, stamp)
    if before is not None:
        return _decided(desk, before)
    lease = _own(desk, person, leases.find(desk.database, answer.item))
    act = _act(desk, person, lease, answer, sign.shown, _spent(lease, sign.seconds))
    return _decided(desk, _record(desk, stamp, [act]))


def sign_sheet(desk: Desk, person: Reviewer, sheet: str, exceptions: Sequence[Answer], sign: Sign) -> dict[str, Any]:
    """Store one decision for each scan of a sheet; see docs/review_api.md."""
    marked = {answer.item: answer for answer in exceptions}
    said = [[one.item, one.outcome, one.choice, dict(one.fields)] for one in exceptions]
    stamp = _stamp(person, sign, ["sign", sheet, said])
    with _told(desk):
        before = acts.repeated(desk.database, stamp)
    if before is not None:
        return _signed(desk, before)
    on_sheet = leases.of_sheet(desk.database, sheet)
    if not on_sheet:
        raise RefusedError("no_sheet", "There is no such sheet.", "Reload the page.")
    open_ones = [_own(desk, person, lease) for lease in on_sheet if not lease.decided]
    if not open_ones:
        with _told(desk):
            raise ConflictError("already_decided", acts.decision_on(desk.database, on_sheet[0].item))
    if strange := set(marked) - {lease.item for lease in open_ones}:
        raise invalid("exceptions", f"{len(strange)} of them are not on this sheet")
    default = desk.spec(open_ones[0].task, open_ones[0].list_name).default_choice
    seconds = _spent(open_ones[0], sign.seconds) / len(open_ones)
    made = [
        _act(desk, person, lease, marked.get(lease.item) or Answer(lease.item, "answer", default), sign.shown, seconds)
        for lease in open_ones
    ]
    return _signed(desk, _record(desk, stamp, made))


def take_back(desk: Desk, person: Reviewer, key: str, position: int | None) -> dict[str, Any]:
    """Undo one decision; see docs/review_api.md."""
    stamp = _stamp(person, Sign(key, 0, {}), ["undo", position])
    with _told(desk):
        added, target = acts.undo(desk.database, stamp, position, SOFTWARE)
    item = None if added.repeated else desk.reopen(person, target)
    undone = {**target, "undone_by": added.rows[0]["position"]}
    return {
        "event": event_view(desk, added.rows[0]),
        "undone": event_view(desk, undone),
        "item": item,
        "repeated": added.repeated,
    }


def event_view(desk: Desk, row: Mapping[str, Any]) -> dict[str, Any]:
    """An `Event` of docs/review_api.md."""
    found = desk.record(row["scan"])
    shown = {name: row[name] for name in ("position", "kind", "at", "task", "item", "sheet", "outcome", "choice")}
    view = {
        **shown,
        "list": row["list_name"],
        "scan_id": None if found is None else found[0],
        "fields": json.loads(row["fields"]),
        "seconds": row["milliseconds"] / 1000,
        "meaning": row["meaning"],
        "undone_by": row.get("undone_by"),
    }
    return view if row["undo_of"] is None else {**view, "undo_of": row["undo_of"]}


def _stamp(person: Reviewer, sign: Sign, what: Sequence[Any]) -> Stamp:
    content = json.dumps([what, sign.seconds, dict(sign.shown)], sort_keys=True)
    return Stamp(person.name, sign.key, hashlib.sha256(content.encode()).hexdigest(), time_text())


def _own(desk: Desk, person: Reviewer, lease: Lease | None) -> Lease:
    if lease is None:
        raise RefusedError("no_item", "This scan was not handed out, or was given back.", "Reload the page.")
    if lease.holder != person.name:
        raise RefusedError("not_yours", "This scan was handed to somebody else.", "Reload the page.")
    return lease


def _spent(lease: Lease, seconds: float) -> float:
    """Never more than has passed since the scan was handed out."""
    return max(0.0, min(seconds, (now_ms() - lease.taken_ms) / 1000))


def _act(
    desk: Desk, person: Reviewer, lease: Lease, answer: Answer, shown: Mapping[str, Any], seconds: float
) -> NewAct:
    question, offered = desk.question(lease.task), json.loads(lease.offered)
    fields = _checked(desk, question, lease, answer)
    present = desk.database.known([lease.scan]).get(lease.scan)
    if present is None or present.sha256 != offered["input_sha256"]:
        raise RefusedError("changed", "The scan was sifted again and has another content now.", "Go on with the next.")
    return NewAct(
        task=lease.task,
        list_name=lease.list_name,
        stage=lease.stage,
        scan=lease.scan,
        item=lease.item,
        sheet=lease.sheet,
        outcome=answer.outcome,
        choice=answer.choice if answer.outcome == "answer" else None,
        fields=json.dumps(fields, sort_keys=True),
        meaning=_meaning(question, lease, answer),
        milliseconds=round(1000 * seconds),
        shown=json.dumps(_shown(desk, person, offered, shown), sort_keys=True),
        second_wanted=_second_wanted(desk, lease, offered["input_sha256"]),
        input_sha256=offered["input_sha256"],
        model_id=offered["model_id"],
        model_sha256=offered["model_sha256"],
        machine_action=offered["machine"]["action"],
        machine_label=offered["machine"]["label"],
        software=SOFTWARE,
    )


def _checked(desk: Desk, question: Question, lease: Lease, answer: Answer) -> dict[str, bool | int]:
    if answer.outcome == "answer":
        return question.check(answer.choice, answer.fields)
    if answer.choice is not None or answer.fields:
        raise invalid("choice", f"the outcome {answer.outcome!r} takes no choice and no fields")
    if answer.outcome == "look" and desk.spec(lease.task, lease.list_name).screen != "sheet":
        raise invalid("outcome", "`look` is for lists that are read on sheets")
    return {}


def _meaning(question: Question, lease: Lease, answer: Answer) -> str:
    """What the signature says, in one sentence."""
    if answer.outcome == "later":
        return "I put this scan off."
    if answer.outcome == "look":
        return "I saw this scan on a sheet and ask that it be looked at by itself."
    if answer.outcome == "cannot_tell":
        return "I looked at this scan and cannot tell."
    found = question.choice(answer.choice).title
    how = "I saw this scan on a sheet" if lease.sheet else "I looked at this scan"
    return (
        f"I compared the readings of this scan and decide: {found}."
        if lease.stage == "adjudication"
        else (f"{how} and found: {found}.")
    )


def _shown(desk: Desk, person: Reviewer, offered: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says was on the screen, with the digest of each picture as it was handed out."""
    digests = {one["name"]: one["sha256"] for one in offered["pictures"]}
    if unknown := sorted(set(shown.get("pictures", ())) - set(digests)):
        raise invalid("shown", f"no pictures {', '.join(unknown)} were handed out")
    return {
        "pictures": {name: digests[name] for name in shown.get("pictures", ())},
        "viewer": bool(shown.get("viewer")),
        "overlay": bool(shown.get("overlay")),
        "machine": not desk.settings.blind,
    }


def _second_wanted(desk: Desk, lease: Lease, content: str) -> bool:
    """Whether somebody else is to read this scan too: drawn by its content, as soon as there are two people."""
    if lease.stage != "reading":
        return False
    drawn = hashlib.sha256(f"second {lease.task} {content}".encode()).hexdigest()
    return queues.is_drawn(drawn, desk.settings.second_share) and (
        sum(one.active for one in reviewers(desk.database)) > 1
    )


def _record(desk: Desk, stamp: Stamp, made: Sequence[NewAct]) -> Added:
    with _told(desk):
        return acts.record(desk.database, stamp, made, desk.until(now_ms()))


@contextmanager
def _told(desk: Desk) -> Iterator[None]:
    """Put a conflict with the trail into words, with the act that is there."""
    try:
        yield
    except ConflictError as conflict:
        cause, remedy = TELLS[conflict.kind]
        more = {} if conflict.row is None else {"event": event_view(desk, conflict.row)}
        raise RefusedError(conflict.kind, cause, remedy, more) from conflict


def _decided(desk: Desk, added: Added) -> dict[str, Any]:
    row = added.rows[0]
    return {"event": event_view(desk, row), "machine": _machine(desk, row), "repeated": added.repeated}


def _signed(desk: Desk, added: Added) -> dict[str, Any]:
    return {
        "events": [event_view(desk, row) for row in added.rows],
        "machine": {row["item"]: _machine(desk, row) for row in added.rows},
        "repeated": added.repeated,
    }


def _machine(desk: Desk, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the machine had said of what was judged; None where it is not known any more."""
    lease = leases.find(desk.database, row["item"])
    if lease is None:
        return None
    return machine_view(row["task"], json.loads(lease.offered), row["choice"])
