"""Defacing over a study: how many scans of each class go which way, and what is decided without a full look."""

from __future__ import annotations

from collections import Counter
from typing import Any

from brainsift.report.defacing_scan import CLASSES
from brainsift.store.record import Record

ACTIONS = ("accept", "refer", "reject")
TITLES = {name: title for name, (title, _) in CLASSES.items()} | {"no_head": "No head"}


class DefacingStudy:
    """What the study page needs of all findings of task `defacing`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, record: Record) -> None:
        """Take in one record, if it was asked for its defacing."""
        finding, decision = record.finding("defacing"), record.decision("defacing")
        if finding is not None and decision is not None:
            self._counts[finding.label, decision.action.value] += 1

    def rows(self) -> list[dict[str, Any]]:
        """One row for each class that occurs: title, scans, and counts by `ACTIONS`."""
        made = []
        for label in sorted({label for label, _ in self._counts}, key=_place):
            counts = tuple(self._counts[label, action] for action in ACTIONS)
            made.append({"title": TITLES.get(label, label), "total": sum(counts), "counts": counts})
        return made

    def automatic_share(self) -> float | None:
        """Share of scans that go to the verification sheet or the remedial list without a full look; None without
        scans."""
        total = self._counts.total()
        if not total:
            return None
        return sum(n for (_, action), n in self._counts.items() if action != "refer") / total


def _place(label: str) -> tuple[int, str]:
    known = list(TITLES)
    return (known.index(label) if label in known else len(known)), label
