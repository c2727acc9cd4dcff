"""The desk at which scans are handed out: whose turn it is, what is shown, and what is put back unread."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random, SystemRandom
from typing import Any

from sqlalchemy import select

from brainsift.review.errors import RefusedError
from brainsift.review.files import input_folder
from brainsift.review.lists import ADJUDICATION, ListSpec, lists_of
from brainsift.review.offer import item_view, make_offer
from brainsift.review.questions import QUESTIONS, Question
from brainsift.review.settings import ReviewSettings
from brainsift.store.database import Database, translated_errors
from brainsift.store.record import Record
from brainsift.store.record_io import parse_record
from brainsift.store.reviews import leases, queues
from brainsift.store.reviews.cases import events_of, standing
from brainsift.store.reviews.leases import Lease, Wanted
from brainsift.store.reviews.numbers import decided_tasks
from brainsift.store.reviews.people import Reviewer
from brainsift.store.reviews.queues import Asker, Due, Source
from brainsift.store.schema import ScanRow

ROUNDS = 6
"""Attempts to find free scans while others take them at the same moment."""

SPARE = 20
"""Scans looked up beyond those that are wanted, so that others at the same desk seldom leave too few."""


class Desk:
    """Hands out scans of one study.

    Parameters
    ----------
    database : opened `durable`.
    settings : how the review is held.
    chance : draws catch trials and the order of a sheet.
    """

    def __init__(self, database: Database, settings: ReviewSettings, chance: Random | None = None) -> None:
        self.database = database
        self.settings = settings
        self.source = settings.source or input_folder(settings.output)
        self._chance = chance or SystemRandom()
        self._unread: dict[tuple[str, str], int] = {}
        leases.sweep(database, now_ms())

    def warm(self) -> None:
        """Pass by what was read before, once, so that the first person of the day does not wait for it."""
        for task in set(decided_tasks(self.database)) & set(QUESTIONS):
            for spec in self.specs(task):
                if spec.source is not None:
                    self._unread[task, spec.id] = queues.first_unread(self.database, task, spec.source, 0)

    def question(self, task: str) -> Question:
        """What is asked in a task.

        Raises
        ------
        RefusedError
            ``no_task``.
        """
        if task not in QUESTIONS:
            raise RefusedError("no_task", f"There is no task {task!r}.", f"Tasks are {', '.join(QUESTIONS)}.")
        return QUESTIONS[task]

    def specs(self, task: str) -> tuple[ListSpec, ...]:
        """The lists of a task."""
        return lists_of(self.question(task).task, self.settings.audit_share)

    def spec(self, task: str, name: str) -> ListSpec:
        """One list.

        Raises
        ------
        RefusedError
            ``no_task`` or ``no_list``.
        """
        specs = self.specs(task)
        for spec in specs:
            if spec.id == name:
                return spec
        known = ", ".join(spec.id for spec in specs)
        raise RefusedError("no_list", f"`{task}` has no list {name!r}.", f"Its lists are {known}.")

    def blocked(self, person: Reviewer, task: str, name: str) -> str | None:
        """Why a person can be given nothing of a list: ``faces``, ``role``, or None."""
        if name == ADJUDICATION and not person.may("adjudicator"):
            return "role"
        return "faces" if task == "defacing" and not person.faces else None

    def hand(self, person: Reviewer, task: str, name: str, size: int) -> list[dict[str, Any]]:
        """What a person holds of a list beside sheets, filled up to `size`."""
        spec = self._open(person, task, name)
        held = [lease for lease in self._held(person, task, name) if lease.sheet is None]
        held += self._take(person, spec, task, size - len(held), sheet=None)
        return [self.item(person, lease) for lease in held]

    def sheet(self, person: Reviewer, task: str, name: str, size: int) -> dict[str, Any] | None:
        """The person's open sheet, or a new one; None where nothing is left.

        Raises
        ------
        RefusedError
            ``no_list`` for a list that has no sheets, ``faces``, ``role``.
        """
        spec = self._open(person, task, name)
        if spec.screen != "sheet" or spec.default_choice is None:
            raise RefusedError("no_list", f"The list {name!r} is not read on sheets.", "Read its scans one by one.")
        held = [lease for lease in self._held(person, task, name) if lease.sheet is not None]
        held = [lease for lease in held if lease.sheet == held[0].sheet]
        if not held:
            held = self._take(person, spec, task, size, sheet=secrets.token_hex(16))
        if not held:
            return None
        return {
            "id": held[0].sheet,
            "until": time_text(held[0].until_ms),
            "default_choice": spec.default_choice,
            "items": [self.item(person, lease) for lease in held],
        }

    def item(self, person: Reviewer, lease: Lease) -> dict[str, Any]:
        """An `Item` of docs/review_api.md."""
        until, offered = time_text(lease.until_ms), json.loads(lease.offered)
        blind, originals = self.settings.blind, self.settings.originals
        view = item_view(lease.item, lease.task, lease.list_name, until, offered, person.faces, originals, blind)
        view["name"] = lease.scan if self.settings.names else None
        if lease.stage == "adjudication":
            view["readings"] = self._readings(lease)
        return view

    def reopen(self, person: Reviewer, row: dict[str, Any]) -> dict[str, Any] | None:
        """The scan of a decision that was taken back, in the person's hand again under its old item."""
        found = self.record(row["scan"])
        if found is None:
            return None
        slot = person.name if row["stage"] == "catch" else ""
        now = now_ms()
        lease = Lease(
            item=row["item"],
            task=row["task"],
            scan=row["scan"],
            slot=slot,
            holder=person.name,
            list_name=row["list_name"],
            stage=row["stage"],
            sheet=None,
            rank=0,
            decided=False,
            taken_ms=now,
            until_ms=self.until(now),
            offered=self._offered(found, row["task"]),
        )
        held = leases.reopen(self.database, lease)
        return None if held is None else self.item(person, held)

    def record(self, scan: str) -> tuple[int, Record] | None:
        """Row number and record of a scan."""
        query = select(ScanRow.id, ScanRow.record).where(ScanRow.study == self.database.study, ScanRow.scan == scan)
        with translated_errors(), self.database.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.id, parse_record(row.record, scan))

    def record_by_id(self, scan_id: int) -> Record:
        """The record of a scan.

        Raises
        ------
        RefusedError
            ``no_scan``.
        """
        query = select(ScanRow.scan, ScanRow.record).where(ScanRow.study == self.database.study, ScanRow.id == scan_id)
        with translated_errors(), self.database.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise RefusedError("no_scan", f"There is no scan {scan_id}.", "Reload the page.")
        return parse_record(row.record, row.scan)

    def until(self, now: int) -> int:
        """End of a lease that is given or renewed now."""
        return now + 1000 * self.settings.lease_s

    def _open(self, person: Reviewer, task: str, name: str) -> ListSpec:
        spec = self.spec(task, name)
        why = self.blocked(person, task, name)
        if why == "faces":
            remedy = "Ask an administrator for the permission to see faces (at the desk itself: start with --faces)."
            raise RefusedError("faces", "Judging a defacing means seeing what is left of a face.", remedy)
        if why is not None:
            raise RefusedError("role", "This list is for adjudicators.", "Ask an administrator for that role.")
        return spec

    def _held(self, person: Reviewer, task: str, name: str) -> list[Lease]:
        """What is in hand, but for scans whose content has changed since: those are given back."""
        held = leases.in_hand(self.database, person.name, task, name, self.until(now_ms()))
        present = self._contents([lease.scan for lease in held])
        stale = [one for one in held if present.get(one.scan) != _content(one)]
        if stale:
            leases.release(self.database, person.name, [lease.item for lease in stale])
        return [lease for lease in held if lease not in stale]

    def _contents(self, scans: Sequence[str]) -> dict[str, str | None]:
        return {name: known.sha256 for name, known in self.database.known(list(scans)).items()}

    def _take(self, person: Reviewer, spec: ListSpec, task: str, size: int, sheet: str | None) -> list[Lease]:
        taken: list[Lease] = []
        if spec.source is not None and size > 0:
            taken += self._take_catches(person, spec, task, size, sheet)
        for _ in range(ROUNDS):
            missing = size - len(taken)
            if missing <= 0:
                break
            due = self._due(Asker(person.name, task, spec.id, now_ms()), spec, missing + SPARE)
            if not due:
                break
            taken += self._claim(person, spec, task, due, missing, sheet)
        if sheet is not None:
            # Nothing tells a catch trial, or a second reading, by its place.
            self._chance.shuffle(taken)
        return self._filled(taken)

    def _take_catches(self, person: Reviewer, spec: ListSpec, task: str, size: int, sheet: str | None) -> list[Lease]:
        wanted = sum(self._chance.random() < self.settings.catch_share for _ in range(size))
        if not wanted:
            return []
        due = queues.due_catches(self.database, Asker(person.name, task, spec.id, now_ms()), wanted)
        return self._claim(person, spec, task, due, wanted, sheet)

    def _due(self, asker: Asker, spec: ListSpec, limit: int) -> list[Due]:
        if spec.source is None:
            return queues.due_again(self.database, asker, ("adjudication",), limit)
        again = queues.due_again(self.database, asker, ("first", "second"), limit)
        fresh = self._due_first(asker, spec.source, limit)
        if not again or not fresh:
            return again or fresh
        # Second readings come among first ones, not in a row by which they could be told.
        mixed = again[:limit] + fresh[:limit]
        self._chance.shuffle(mixed)
        return mixed[:limit]

    def _due_first(self, asker: Asker, source: Source, limit: int) -> list[Due]:
        """Looks from where the last unread scan was found, so that 10^5 scans are not passed by each time.

        Scans before it can be due again (somebody took a reading back), so an empty answer is asked for once more.
        """
        place = asker.task, asker.list_name
        start = queues.first_unread(self.database, asker.task, source, self._unread.get(place, 0))
        self._unread[place] = start
        found = queues.due_first(self.database, asker, source, limit, start)
        if found or start == 0:
            return found
        self._unread[place] = 0
        return queues.due_first(self.database, asker, source, limit)

    def _claim(
        self, person: Reviewer, spec: ListSpec, task: str, due: Sequence[Due], limit: int, sheet: str | None
    ) -> list[Lease]:
        now = now_ms()
        wanted = []
        for one in due:
            catch = one.state == "catch"
            lease = Lease(
                item=secrets.token_hex(16),
                task=task,
                scan=one.scan,
                slot=person.name if catch else "",
                holder=person.name,
                list_name=spec.id,
                stage="catch" if catch else "adjudication" if spec.id == ADJUDICATION else "reading",
                sheet=sheet,
                rank=now,
                decided=False,
                taken_ms=now,
                until_ms=self.until(now),
                offered="",
            )
            wanted.append(Wanted(lease, None if catch else one.state, one.basis))
        return leases.claim(self.database, wanted, limit, now)

    def _filled(self, taken: list[Lease]) -> list[Lease]:
        """The leases with what is handed out, looked up after the scans are safely in hand, and their order."""
        filled = []
        for number, lease in enumerate(taken):
            found = self.record(lease.scan)
            if found is not None:
                filled.append(replace(lease, rank=lease.rank * 1000 + number, offered=self._offered(found, lease.task)))
        leases.fill(self.database, filled)
        return filled

    def _offered(self, found: tuple[int, Record], task: str) -> str:
        scan_id, record = found
        return json.dumps(make_offer(record, scan_id, task, self.settings.output, self.source))

    def _readings(self, lease: Lease) -> list[dict[str, Any]]:
        """The answers to decide between, in an order that tells nothing of who gave them."""
        with translated_errors(), self.database.engine.connect() as connection:
            rows = standing(events_of(connection, self.database.study, lease.task, lease.scan))
        sha256 = json.loads(lease.offered)["input_sha256"]
        told = [
            {"outcome": row["outcome"], "choice": row["choice"], "fields": json.loads(row["fields"])}
            for row in rows
            if row["stage"] == "reading" and row["outcome"] in ("answer", "cannot_tell")
            if row["input_sha256"] == sha256
        ]
        return sorted(told, key=lambda one: json.dumps(one, sort_keys=True))


def _content(lease: Lease) -> str:
    """SHA-256 of what was handed out; none where the server was killed before it was noted."""
    return str(json.loads(lease.offered)["input_sha256"]) if lease.offered else ""


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def time_text(milliseconds: int | None = None) -> str:
    """A time in UTC as text that sorts: the present, or one in milliseconds since 1970."""
    moment = datetime.now(UTC) if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
