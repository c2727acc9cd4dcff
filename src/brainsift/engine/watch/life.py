"""The sign of life of a run: a small file in its scratch folder, there as long as the run is.

`brainsift status` reads it; a run that was killed leaves its file, and the next run removes it with the scratch.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from brainsift.engine.folders import SCRATCH_NAME, is_alive, scratch_root
from brainsift.engine.job import Outcome
from brainsift.engine.summary import Progress
from brainsift.engine.watch.base import Began

LIFE_NAME = "life.json"

EVERY_S = 2.0
"""Seconds between two signs: people look again after about as long."""


class SignOfLife:
    """Writes where a run stands into its scratch folder; `remove_scratch` takes it away."""

    def __init__(self, output: Path) -> None:
        self._path = scratch_root(output) / LIFE_NAME
        self._began = datetime.now(UTC).isoformat(timespec="seconds")
        self._workers = 1
        self._written = 0.0

    def began(self, run: Began) -> None:
        """Write the first sign."""
        self._workers = run.workers
        self._write(Progress())

    def took(self, outcome: Outcome, state: Progress) -> None:
        """Write a sign if the last is old."""
        if time.monotonic() - self._written >= EVERY_S:
            self._write(state)

    def ended(self, state: Progress, seconds: float, ended: str) -> None:
        """Nothing more to say; the database knows how it ended."""
        self._path.unlink(missing_ok=True)

    def _write(self, state: Progress) -> None:
        self._written = time.monotonic()
        counts = {name: getattr(state, name) for name in ("found", "listed", "skipped", "done", "failed", "refreshed")}
        sign = {
            "began": self._began,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "workers": self._workers,
            **counts,
            "forecast": None if state.forecast is None else asdict(state.forecast),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f".{LIFE_NAME}.{os.getpid()}.part")
        part.write_text(json.dumps(sign), encoding="utf-8")
        part.replace(self._path)


@dataclass(frozen=True)
class Running:
    """A run that has given a sign: what it said, and whether its process is there (None: on another machine)."""

    said: dict[str, Any]
    alive: bool | None

    @property
    def age_s(self) -> float:
        """Seconds since the last sign."""
        return (datetime.now(UTC) - datetime.fromisoformat(self.said["at"])).total_seconds()


def running(output: Path) -> list[Running]:
    """The runs that work on OUTPUT, or were killed while they did."""
    found = []
    for path in sorted((output / SCRATCH_NAME).glob(f"*/{LIFE_NAME}")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            datetime.fromisoformat(said["at"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found.append(Running(said, is_alive(path.parent.name)))
    return found
