"""How a run went."""

from __future__ import annotations

from dataclasses import dataclass, field

from brainsift.engine.forecast import Forecast

MAX_LISTED = 20
"""Failures named in the summary; `failures.tsv` has all of them."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    found : scans seen in the catalog so far; `listed` says that this is all of them.
    skipped, done, failed, refreshed : of those found.
    scan : the one finished last, empty at the start.
    forecast : how long the rest will take, as soon as a few scans tell. While `listed` is False there may be more.
    """

    found: int = 0
    skipped: int = 0
    done: int = 0
    failed: int = 0
    refreshed: int = 0
    listed: bool = False
    scan: str = ""
    forecast: Forecast | None = None

    @property
    def finished(self) -> int:
        """Scans that need nothing more."""
        return self.skipped + self.done + self.failed + self.refreshed


@dataclass
class Counts:
    """Scans of one run. `skipped` were done before, `still_failed` had failed before and did not change; `redecided`
    got a decision by another calibration without being looked at again; `left` were not begun, because only the first
    ones were asked for; `in_study` are all that OUTPUT has records of."""

    found: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    still_failed: int = 0
    refreshed: int = 0
    redecided: int = 0
    duplicates: int = 0
    page_errors: int = 0
    left: int = 0
    in_study: int = 0
    listed: bool = False

    def progress(self, scan: str = "") -> Progress:
        """A snapshot."""
        skipped = self.skipped + self.still_failed
        return Progress(self.found, skipped, self.done, self.failed, self.refreshed, self.listed, scan)


@dataclass(frozen=True)
class ListedFailure:
    """One failed scan, for the console."""

    scan: str
    kind: str
    cause: str
    remedy: str


@dataclass(frozen=True)
class RunSummary:
    """What `run_study` hands back.

    Attributes
    ----------
    counts : of this run.
    failures : the first `MAX_LISTED` failed scans of this run; those that failed before are in `failures.tsv` too.
    interrupted : stopped by the user; the next run goes on.
    seconds : wall time.
    workers : processes that worked.
    plan : with ``dry_run``: what would be done and why → number of scans.
    warnings : what a user should know before believing the decisions.
    forecast : how long what was left undone would take, where the run was told to do the first scans alone.
    """

    counts: Counts
    failures: tuple[ListedFailure, ...] = ()
    interrupted: bool = False
    seconds: float = 0.0
    workers: int = 1
    plan: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    forecast: Forecast | None = None

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some scans failed, 130 interrupted (128 + SIGINT)."""
        if self.interrupted:
            return 130
        return 1 if self.counts.failed or self.counts.still_failed else 0
