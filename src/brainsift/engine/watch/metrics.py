"""Metrics of a run as a text file for Prometheus: put into the folder of node_exporter's textfile collector.

Format: Prometheus text exposition format 0.0.4. The file appears whole or not at all, as the collector asks for, and
under a name that does not end in ``.prom`` until it is whole. Labels hold words of this program alone.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from brainsift.engine.job import Outcome
from brainsift.engine.summary import Progress
from brainsift.engine.watch.base import Began

EVERY_S = 15.0
"""Seconds between two files; Prometheus looks every 15 to 60."""

Samples = Mapping[tuple[str, ...], float]


class MetricsFile:
    """Replaces the file now and then, and at the end.

    Raises
    ------
    OSError
        when it is made, if the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = 0.0
        self._began = time.time()
        self._last = 0.0
        self._workers = 0
        self._info: tuple[str, ...] = ("", "")
        self._stages: dict[str, float] = {}
        self._kinds: Counter[str] = Counter()
        self._decisions: Counter[tuple[str, str]] = Counter()
        self._seconds = 0.0
        self._running = 0
        self._write(Progress())

    def began(self, run: Began) -> None:
        """Write the first one."""
        self._workers, self._info, self._running = run.workers, (run.software, run.study), 1
        self._write(Progress())

    def took(self, outcome: Outcome, state: Progress) -> None:
        """Count a scan."""
        record = outcome.record
        if record is not None and not outcome.refreshed:
            self._seconds += record.seconds
            for stage, spent in record.stage_seconds.items():
                self._stages[stage] = self._stages.get(stage, 0.0) + spent
            self._kinds.update([record.failure.kind] if record.failure else [])
            self._decisions.update((one.task, one.action.value) for one in record.decisions)
        self._last = time.time()
        if time.monotonic() - self._written >= EVERY_S:
            self._write(state)

    def ended(self, state: Progress, seconds: float, ended: str) -> None:
        """Write the last one."""
        self._running = 0
        self._write(state)

    def _write(self, state: Progress) -> None:
        self._written = time.monotonic()
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            part.write_text("".join(self._lines(state)), encoding="utf-8")
            part.chmod(0o644)  # node_exporter runs as another user
            part.replace(self._path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _lines(self, state: Progress) -> Iterator[str]:
        yield from family("info", "gauge", "What runs.", ("software", "study"), {self._info: 1})
        yield from family("running", "gauge", "1 while a run works.", (), {(): self._running})
        yield from family("workers", "gauge", "Scans worked on at once.", (), {(): self._workers})
        yield from family("run_start_timestamp_seconds", "gauge", "When the run began.", (), {(): self._began})
        yield from family(
            "last_scan_timestamp_seconds", "gauge", "When a scan was finished last.", (), {(): self._last}
        )
        yield from family("scans_found", "gauge", "Scans seen so far.", (), {(): state.found})
        yield from family("scans_listed", "gauge", "1 when these are all.", (), {(): state.listed})
        states: Samples = {(name,): getattr(state, name) for name in ("done", "failed", "skipped", "refreshed")}
        yield from family("scans_total", "counter", "Scans of this run by what became of them.", ("state",), states)
        kinds: Samples = {(kind,): n for kind, n in sorted(self._kinds.items())}
        yield from family("failures_total", "counter", "Failed scans by kind.", ("kind",), kinds)
        decisions: Samples = dict(sorted(self._decisions.items()))
        yield from family("decisions_total", "counter", "What was decided.", ("task", "action"), decisions)
        yield from family("scan_seconds_total", "counter", "Seconds of all scans together.", (), {(): self._seconds})
        stages: Samples = {(stage,): spent for stage, spent in sorted(self._stages.items())}
        yield from family("stage_seconds_total", "counter", "Seconds by stage; a.b is part of a.", ("stage",), stages)
        if state.forecast is not None:
            bounds = {"low": state.forecast.low, "expected": state.forecast.seconds, "high": state.forecast.high}
            left: Samples = {(name,): value for name, value in bounds.items()}
            yield from family("left_seconds", "gauge", "Until the run is over, 95 % interval.", ("bound",), left)


def family(name: str, kind: str, help_text: str, labels: tuple[str, ...], samples: Samples) -> Iterator[str]:
    """The lines of one metric; none where there is nothing to say."""
    if not samples:
        return
    full = f"brainsift_{name}"
    yield f"# HELP {full} {help_text}\n# TYPE {full} {kind}\n"
    for values, number in samples.items():
        named = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(labels, values, strict=True))
        yield f"{full}{{{named}}} {float(number):.15g}\n" if named else f"{full} {float(number):.15g}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
