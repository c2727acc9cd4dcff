"""Records from workers into the database, many at a time; one process writes."""

from __future__ import annotations

from time import monotonic

from brainsift.store.database import Database
from brainsift.store.record import Record

BATCH = 100
"""Records in one transaction."""

MAX_WAIT_S = 5.0
"""How long a finished scan may wait before others can see it in the database (the review page reads along)."""


class Collector:
    """Gathers records and ingests them in batches. What a crash leaves ungathered is found on disk by the next plan."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Record] = []
        self._since = monotonic()

    def add(self, record: Record) -> None:
        """Take one record; write when there are enough of them or they have waited long enough."""
        if not self._waiting:
            self._since = monotonic()
        self._waiting.append(record)
        if len(self._waiting) >= BATCH or monotonic() - self._since > MAX_WAIT_S:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        waiting, self._waiting = self._waiting, []
        self._database.ingest(waiting)
