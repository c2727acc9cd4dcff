"""Runs of a study as the database notes them when they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from brainsift.store.database import Database, translated_errors
from brainsift.store.schema import RunRow, ScanRow

READ_CHUNK = 1000


@dataclass(frozen=True)
class PastRun:
    """One run that has ended: when (UTC), and what became of its scans."""

    started: datetime
    ended: datetime
    counts: dict[str, int]
    interrupted: bool

    @property
    def worked_on(self) -> int:
        """Scans that it did, well or not."""
        return self.counts.get("done", 0) + self.counts.get("failed", 0)

    @property
    def scans_per_hour(self) -> float | None:
        """How fast it was; None where it did nothing."""
        hours = (self.ended - self.started).total_seconds() / 3600
        return self.worked_on / hours if hours > 0 and self.worked_on else None


def last_run(database: Database) -> PastRun | None:
    """The run that ended last."""
    query = select(RunRow).where(RunRow.study == database.study).order_by(RunRow.ended.desc(), RunRow.id.desc())
    with translated_errors(), database.engine.connect() as connection:
        row = connection.execute(query.limit(1)).mappings().first()
    if row is None:
        return None
    # SQLite gives times back without their zone; they were written in UTC.
    started, ended = (row[name].replace(tzinfo=row[name].tzinfo or UTC) for name in ("started", "ended"))
    return PastRun(started, ended, json.loads(row["counts"]), bool(row["interrupted"]))


def scan_names(database: Database) -> Iterator[str]:
    """The scans of the study, a few at a time."""
    query = select(ScanRow.scan).where(ScanRow.study == database.study)
    with translated_errors(), database.engine.connect() as connection:
        yield from connection.execution_options(yield_per=READ_CHUNK).scalars(query)
