"""How much is done, how fast, and how long the rest will take."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from brainsift.review.desk import Desk, now_ms
from brainsift.review.lists import ADJUDICATION, home_of, lists_of
from brainsift.review.questions import QUESTIONS
from brainsift.store.database import Database
from brainsift.store.reviews import leases, queues
from brainsift.store.reviews.numbers import Pace, decided_tasks, paces
from brainsift.store.reviews.people import Reviewer

REMEMBER_S = 2.0
"""Twenty people share one count; 0 counts each time."""

REMEMBER_TIMES = 10
"""Counting 10^5 scans takes about a second: a count is kept ten times as long as it took to make."""


@dataclass(frozen=True)
class Tally:
    """Scans of one task: list → state → number. Those in adjudication stand in the list that they came from."""

    lists: dict[str, Counter[str]]

    def state(self, state: str) -> int:
        """Scans in a state, whatever their list."""
        return sum(states[state] for states in self.lists.values())


def count_tally(database: Database, task: str, audit_share: float) -> Tally:
    """Count all scans of a task by list and state."""
    specs = lists_of(task, audit_share)
    lists: dict[str, Counter[str]] = {spec.id: Counter() for spec in specs}
    for one in queues.count_standing(database, task, audit_share):
        home = one.home or home_of(specs, one.action, one.drawn)
        if home is not None:
            lists.setdefault(home, Counter())[one.state or "first"] += one.count
    return Tally(lists)


def waiting(database: Database) -> dict[str, int]:
    """Task → scans that people must still read, without audits, in the order of the questions."""
    told = {}
    decided = decided_tasks(database)
    for task in (name for name in QUESTIONS if name in decided):
        tally = count_tally(database, task, 0.0)
        required = [spec.id for spec in lists_of(task, 0.0) if spec.required and spec.source is not None]
        states = [tally.lists[name] for name in required]
        told[task] = sum(one["first"] + one["second"] for one in states) + tally.state("adjudication")
    return told


class Counts:
    """Counts of one study, remembered for a moment."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.RLock()
        self._kept: dict[str, tuple[float, Any]] = {}

    def tasks(self) -> list[str]:
        """Tasks of which there is something to ask, in the order of the questions."""
        decided = self._remember("tasks", lambda: decided_tasks(self._desk.database))
        return [task for task in QUESTIONS if task in decided]

    def tally(self, task: str) -> Tally:
        """All scans of a task by list and state."""
        tally: Tally = self._remember(f"tally {task}", lambda: self._count(task))
        return tally

    def lists(self, person: Reviewer, task: str) -> list[dict[str, Any]]:
        """The lists of a task as one person sees them."""
        desk, tally = self._desk, self.tally(task)
        views = []
        for spec in desk.specs(task):
            states = tally.lists.get(spec.id, Counter())
            blocked = desk.blocked(person, task, spec.id)
            done = states["done"] + states["undecided"]
            total = sum(states.values())
            if spec.id == ADJUDICATION:
                done, total = 0, tally.state("adjudication")
            views.append(
                {
                    "id": spec.id,
                    "title": spec.title,
                    "screen": spec.screen,
                    "default_choice": spec.default_choice,
                    "required": spec.required,
                    "blocked": blocked,
                    "open": 0 if blocked else self.open(person, task, spec.id),
                    "mine": self._leased(task).get((spec.id, person.name), 0),
                    "done": done,
                    "total": total,
                }
            )
        return views

    def open(self, person: Reviewer, task: str, name: str) -> int:
        """Scans of a list that this person could be given, those in hand included."""
        tally = self.tally(task)
        others = sum(n for (where, who), n in self._leased(task).items() if where == name and who != person.name)
        if name == ADJUDICATION:
            return max(0, tally.state("adjudication") - others)
        states = tally.lists.get(name, Counter())
        own = queues.count_own_seconds(self._desk.database, task, person.name).get(name, 0)
        return max(0, states["first"] + states["second"] - own - others)

    def progress(self, person: Reviewer) -> dict[str, Any]:
        """What `GET /api/progress` tells."""
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        own_count, own_seconds, today_count = 0, 0.0, 0
        tasks = []
        for task in self.tasks():
            pace = paces(self._desk.database, task)
            mine = [one for one in pace if one.reviewer == person.name]
            own_count += sum(one.count for one in mine)
            own_seconds += sum(one.seconds for one in mine)
            recent = paces(self._desk.database, task, since=today)
            today_count += sum(one.count for one in recent if one.reviewer == person.name)
            tasks.append(self._task(task, pace))
        speed = round(own_seconds / own_count, 2) if own_count else None
        return {"tasks": tasks, "me": {"today": today_count, "seconds_per_scan": speed}}

    def _task(self, task: str, pace: list[Pace]) -> dict[str, Any]:
        tally, held = self.tally(task), self._leased(task)
        specs = [spec for spec in self._desk.specs(task) if spec.source is not None]
        lists, times = [], []
        for spec in specs:
            states = tally.lists.get(spec.id, Counter())
            due = states["first"] + states["second"]
            count, speed = mean_pace([one for one in pace if one.list_name == spec.id])
            hours = None if speed is None else round(due * speed / 3600, 3)
            times.append((hours, due))
            lists.append(
                {
                    "id": spec.id,
                    "total": sum(states.values()),
                    "done": states["done"] + states["undecided"],
                    "open": due,
                    "leased": sum(n for (name, _), n in held.items() if name == spec.id),
                    "seconds_per_scan": speed,
                    "measured": count,
                    "hours_left": hours,
                }
            )
        needed: list[float | None] = [
            hours for (hours, due), spec in zip(times, specs, strict=True) if spec.required and due
        ]
        return {
            "task": task,
            "lists": lists,
            **{state: tally.state(state) for state in ("second", "adjudication", "undecided")},
            "hours_left": None if None in needed else round(sum(filter(None, needed)), 3),
        }

    def _count(self, task: str) -> Tally:
        return count_tally(self._desk.database, task, self._desk.settings.audit_share)

    def _leased(self, task: str) -> dict[tuple[str, str], int]:
        held: dict[tuple[str, str], int] = self._remember(
            f"leased {task}", lambda: leases.count_leased(self._desk.database, task, now_ms())
        )
        return held

    def _remember(self, name: str, count: Any) -> Any:
        """What was counted lately. While one request counts anew, the others are given the count before."""
        when, value = self._kept.get(name, (-math.inf, None))
        if time.monotonic() < when:
            return value
        if not self._lock.acquire(blocking=when == -math.inf):
            return value
        try:
            if self._kept.get(name, (-math.inf, None))[0] > time.monotonic():
                return self._kept[name][1]
            start = time.monotonic()
            value = count()
            now = time.monotonic()
            self._kept[name] = (now + max(REMEMBER_S, REMEMBER_TIMES * (now - start)) if REMEMBER_S else 0.0, value)
            return value
        finally:
            self._lock.release()


def mean_pace(pace: list[Pace]) -> tuple[int, float | None]:
    """Decisions, and mean seconds of one; None where there is none."""
    count = sum(one.count for one in pace)
    return count, round(sum(one.seconds for one in pace) / count, 2) if count else None
