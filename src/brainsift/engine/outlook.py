"""How far a run is and how long the rest will take: what lies ahead, what is behind, and the pace between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from brainsift.engine.forecast import Forecast, Load, Pace
from brainsift.engine.job import PAGE, Outcome
from brainsift.engine.look_ahead import MEGABYTE, SPREAD, LookAhead
from brainsift.engine.plan import Planned
from brainsift.engine.summary import Progress


class Outlook:
    """Learns from a run under way.

    Parameters
    ----------
    workers : scans that may be worked on at once.
    first : how many scans are to be done first; None for the usual number.
    """

    def __init__(self, workers: int = 1, first: int | None = None) -> None:
        self._spread = first or SPREAD
        self._pace = Pace(workers)
        self._ahead = LookAhead(iter(()))
        self._behind = Load()

    def note_workers(self, workers: int) -> None:
        """Take in how many scans may be worked on at once by now: machines of a cluster come and go."""
        self._pace.workers = workers

    def look(self, planned: Iterator[Planned]) -> Iterable[Planned]:
        """The plan in the order in which it tells most, known as far as can be seen."""
        self._ahead = LookAhead(planned, spread=self._spread)
        return self._ahead

    def learn(self, outcome: Outcome) -> None:
        """Take a scan that was done; one whose bytes were only compared tells nothing about the others."""
        record = outcome.record
        if record is None or outcome.refreshed:
            return
        megabytes = record.input.size / MEGABYTE
        self._behind = Load(self._behind.scans + 1, self._behind.megabytes + megabytes)
        self._pace.add(megabytes, record.seconds + record.stage_seconds.get(PAGE, 0.0), record.stage_seconds)

    def forecast(self) -> Forecast | None:
        """How long what is known to be left will take; None before the first scans, which stand for all, are done."""
        ahead, behind = self._ahead.to_do, self._behind
        if behind.scans < min(self._spread, ahead.scans // 2):
            return None
        left = Load(max(0, ahead.scans - behind.scans), max(0.0, ahead.megabytes - behind.megabytes))
        return self._pace.forecast(left)

    def complete(self, state: Progress) -> Progress:
        """A state with what is known of the scans that were not handed out yet."""
        found, listed = max(state.found, self._ahead.found), state.listed or self._ahead.complete
        return replace(state, found=found, listed=listed, forecast=self.forecast())
