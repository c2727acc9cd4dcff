"""What report and review ask for is found by an index and comes in its order, on both servers.

Statements are taken as they are sent, and explained: a change of a query that loses its index fails here by its name.
PostgreSQL is kept from reading whole tables and from sorting, which it prefers on small ones; where it still does, no
index fits.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from brainsift.decide.decision import Action, Decision
from brainsift.store.database import Database
from brainsift.store.duplicates import find_changed_duplicates
from brainsift.store.reviews import leases, queues
from brainsift.store.reviews.queues import Asker, Source
from tests.store.parts import done_record

SCANS = 400
TASK = "quality"
ASKER = Asker("ann", TASK, "review", 1)
REFERRED = Source(("refer",))

Ask = Callable[[Database], Any]

FOUND: dict[str, Ask] = {
    "known": lambda database: database.known(["s0001.nii.gz", "s0002.nii.gz"]),
    "record": lambda database: database.record("s0001.nii.gz"),
    "first page of a queue": lambda database: queues.due_first(database, ASKER, REFERRED, 20),
    "later page of a queue": lambda database: queues.due_first(database, ASKER, REFERRED, 20, start=100),
    "first unread": lambda database: queues.first_unread(database, TASK, REFERRED, 0),
    "in hand": lambda database: leases.in_hand(database, "ann", TASK, "review", 1),
    "second readings": lambda database: queues.due_again(database, ASKER, ("second",), 20),
}
"""What must be found by an index."""

ORDERED: dict[str, Ask] = {
    "all records": lambda database: list(database.records()),
    "first page of a queue": FOUND["first page of a queue"],
    "first unread": FOUND["first unread"],
}
"""What must come in its order without being sorted."""


@pytest.fixture
def filled(url: str | None, tmp_path: Path) -> Any:
    """A study with a queue, and a second one where the server may hold many."""
    decisions = [
        Decision(task=TASK, action=action, rule="r", reason="Look.") for action in (Action.ACCEPT, Action.REFER)
    ]
    with Database(tmp_path, url) as database, Database(tmp_path / "other", url) if url else database as other:
        for one in {database, other}:
            records = [
                done_record(f"s{n:04}.nii.gz", sha256=f"{n:064x}", decisions=(decisions[n % 2],)) for n in range(SCANS)
            ]
            one.ingest(records)
        with database.engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        yield database


def plans(database: Database, ask: Ask) -> list[str]:
    """The plan of each statement that `ask` sends, as text."""
    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: Any) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        ask(database)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    asked = [one for one in sent if one[0].startswith(("SELECT", "UPDATE"))]
    assert asked, "nothing was asked"
    with database.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN" if database.engine.dialect.name == "sqlite" else "EXPLAIN"
        if explain == "EXPLAIN":
            for way in ("seqscan", "sort"):
                connection.execute(text(f"SET LOCAL enable_{way} = off"))
        return [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))
            for statement, parameters in asked
        ]


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found_by_an_index(name: str, filled: Database) -> None:
    for plan in plans(filled, FOUND[name]):
        whole = [line for line in plan.splitlines() if line.startswith("SCAN ") or "Seq Scan on" in line]
        # What a person put off is a handful, gathered first and read as a whole.
        assert [line for line in whole if "anon" not in line] == [], plan


@pytest.mark.parametrize("name", ORDERED)
def test_it_comes_in_its_order(name: str, filled: Database) -> None:
    plan = plans(filled, ORDERED[name])[0]
    assert "TEMP B-TREE FOR ORDER BY" not in plan, plan
    assert not any(line.strip().removeprefix("->").strip().startswith("Sort") for line in plan.splitlines()), plan


def test_a_study_looks_for_duplicates_without_comparing_each_scan_with_each(filled: Database) -> None:
    (plan,) = plans(filled, find_changed_duplicates)
    assert "Nested Loop" not in plan or "Index" in plan, plan
    assert plan.count("SCAN scans") <= 1, plan
