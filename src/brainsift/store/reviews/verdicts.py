"""What people's word on each scan is, worked out from the trail itself: for labels, and for what may be released."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from brainsift.store.database import Database, translated_errors
from brainsift.store.reviews.cases import Case, basis_of_act, case_values, replay, standing
from brainsift.store.reviews.chain import Fault, rows_of, snapshot
from brainsift.store.reviews.queues import present_bases
from brainsift.store.reviews.schema import CaseRow

Rows = list[dict[str, Any]]


def verdicts(database: Database, task: str) -> dict[str, Case]:
    """Scan → what stands about its present content.

    Only a case whose `state` is ``done`` has a verdict; its `choice` is of the content whose SHA-256 is its `basis`
    (for `cases.ABOUT_OUTPUT`, before the colon). Reads the trail, not the table of cases, which a trail protects from
    nobody.
    """
    bases = present_bases(database, task)
    found = {}
    for (_, scan), rows in _by_scan(database, task).items():
        basis = bases.get(scan)
        case = None if basis is None else replay(rows, basis)
        if case is not None:
            found[scan] = case
    return found


def standing_answers(database: Database) -> Iterator[dict[str, Any]]:
    """Answers that nobody took back and that are about the present content, in order; catch trials are left out."""
    bases: dict[str, dict[str, str]] = {}
    with translated_errors(), snapshot(database) as connection:
        rows = list(rows_of(connection, database.study))
    for row in standing(rows):
        task = row["task"]
        if task not in bases:
            bases[task] = present_bases(database, task)
        basis = basis_of_act(row)
        if row["outcome"] == "answer" and bases[task].get(row["scan"]) == basis:
            yield dict(row)


def pairs(database: Database, task: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Scan, first and second blinded answer, of scans that two people read alone."""
    by_basis: dict[tuple[str, str], Rows] = defaultdict(list)
    for (_, scan), rows in _by_scan(database, task).items():
        for row in standing(rows):
            if row["stage"] == "reading" and row["outcome"] == "answer":
                by_basis[scan, basis_of_act(row)].append(dict(row))
    for (scan, _), rows in by_basis.items():
        if len(rows) > 1:
            yield scan, rows[0], rows[1]


def check_cases(database: Database) -> Fault | None:
    """Whether the table of cases says what the trail says; the first difference, at the act that should have set it."""
    with translated_errors(), snapshot(database) as connection:
        kept = {
            (row["task"], row["scan"]): dict(row)
            for row in connection.execute(select(CaseRow.__table__).where(CaseRow.study == database.study)).mappings()
        }
        grouped = _grouped(list(rows_of(connection, database.study)))
    for (task, scan), rows in grouped.items():
        row = kept.pop((task, scan), None)
        case = replay(rows)
        wanted = None if case is None else case_values(case)
        if wanted != (None if row is None else {name: row[name] for name in case_values(Case("", "first", ""))}):
            return Fault(rows[-1]["position"], f"The state kept of a scan in `{task}` is not what the trail says.")
    if kept:
        return Fault(0, f"The states kept of {len(kept)} scans have no act in the trail.")
    return None


def _by_scan(database: Database, task: str) -> dict[tuple[str, str], Rows]:
    with translated_errors(), snapshot(database) as connection:
        return _grouped([row for row in rows_of(connection, database.study) if row["task"] == task])


def _grouped(rows: Rows) -> dict[tuple[str, str], Rows]:
    grouped: dict[tuple[str, str], Rows] = defaultdict(list)
    for row in rows:
        grouped[row["task"], row["scan"]].append(row)
    return grouped
