"""The log of a run: one JSON object a line, fit to leave the machine that the scans must not leave.

Nothing in it names a person: no path, no folder, no host, no user, no text of a header, no message of an error, nothing
that was found in a scan. A scan has its private name (`names`).
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from brainsift.engine.job import Outcome
from brainsift.engine.summary import Progress
from brainsift.engine.watch.base import Began
from brainsift.engine.watch.names import private_name

LOG_VERSION = 1

FORECAST_EVERY = 100
"""Scans between two forecasts in the log; the first is written as soon as there is one."""


class JsonLog:
    """Appends to a file; several runs may share it, since each line is written at once.

    Parameters
    ----------
    path : made if it is not there; its folder must be.
    key : of the study (`names.log_key`).

    Raises
    ------
    OSError
        if the file cannot be opened.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._key = key
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self._taken = 0
        self._foretold = False

    def began(self, run: Began) -> None:
        """Write what is asked."""
        self._write(
            "run_began",
            log_version=LOG_VERSION,
            study=run.study,
            software=run.software,
            tasks=list(run.tasks),
            workers=run.workers,
        )

    def took(self, outcome: Outcome, state: Progress) -> None:
        """Write what became of a scan, and at times when the run will be over."""
        record = outcome.record
        if record is None:
            return
        self._taken += 1
        known: dict[str, Any] = {
            "scan": private_name(self._key, record.scan),
            "megabytes": round(record.input.size / 1e6, 1),
            "seconds": record.seconds,
            "stages": record.stage_seconds,
        }
        if outcome.page_error is not None:
            known["page_error"] = outcome.page_error
        if outcome.refreshed:
            self._write("scan_unchanged", scan=known["scan"])
        elif record.failure is not None:
            self._write("scan_failed", **known, kind=record.failure.kind, stage=record.failure.stage)
        else:
            self._write("scan_done", **known)
        if state.forecast is not None and (not self._foretold or self._taken % FORECAST_EVERY == 0):
            self._foretold = True
            one = state.forecast
            self._write(
                "forecast",
                scans_left=one.scans,
                seconds_left=round(one.seconds),
                low=round(one.low),
                high=round(one.high),
                slowest=one.slowest,
            )

    def ended(self, state: Progress, seconds: float, ended: str) -> None:
        """Write how it ended."""
        counts = {name: getattr(state, name) for name in ("found", "skipped", "done", "failed", "refreshed", "listed")}
        self._write("run_ended", ended=ended, seconds=round(seconds, 1), **counts)
        os.close(self._file)

    def _write(self, event: str, **known: Any) -> None:
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **known}
        os.write(self._file, (json.dumps(line) + "\n").encode("ascii"))
