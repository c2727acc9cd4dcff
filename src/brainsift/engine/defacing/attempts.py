"""The ledger of new attempts: which file was made from which, with what; lines are only ever added."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from brainsift.store.errors import StoreError, output_error

LEDGER_NAME = "defacing_attempts.jsonl"

ATTEMPTS_FOLDER = "brainsift-attempts"
"""Folder of OUTPUT for new files; their scans are named by the path below OUTPUT (`store.files.RESERVED` keeps the
name)."""

FIRST = 1
"""Number of the defacing that came in; the first one made here is number 2."""


class Attempt(BaseModel):
    """One line of the ledger.

    Attributes
    ----------
    kind : ``made`` (a new file), ``failed`` (the tool made none), ``given_up`` (cannot be defaced: the end).
    origin : scan of INPUT that all of it began with.
    parent, parent_sha256 : scan that was re-defaced, and its content.
    number : of this attempt at `origin`; the file of INPUT is number 1.
    scan, sha256 : of the new file, whose path is OUTPUT / `scan`; None unless `made`.
    tool, parameters : what was run.
    reason : why it failed or was given up.
    at : UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["made", "failed", "given_up"]
    origin: str
    parent: str
    parent_sha256: str
    number: int
    scan: str | None = None
    sha256: str | None = None
    tool: str = ""
    parameters: dict[str, str] = {}
    reason: str = ""
    at: datetime


class Chains:
    """All attempts by the scan that they began with."""

    def __init__(self, attempts: Iterable[Attempt] = ()) -> None:
        self._of: dict[str, list[Attempt]] = defaultdict(list)
        self._origin: dict[str, str] = {}
        for attempt in attempts:
            self._of[attempt.origin].append(attempt)
            if attempt.scan is not None:
                self._origin[attempt.scan] = attempt.origin

    def origin(self, scan: str) -> str:
        """Scan of INPUT that a scan began with; itself where it is of INPUT."""
        return self._origin.get(scan, scan)

    def of(self, origin: str) -> list[Attempt]:
        """Attempts at a scan of INPUT, oldest first."""
        return list(self._of.get(origin, ()))

    def newest(self, origin: str) -> str:
        """The scan that stands for `origin` now: its newest file."""
        made = [attempt.scan for attempt in self._of.get(origin, ()) if attempt.scan is not None]
        return made[-1] if made else origin

    def number(self, scan: str) -> int:
        """Number of the attempt that made a scan."""
        attempts = self._of.get(self.origin(scan), ())
        return next((attempt.number for attempt in attempts if attempt.scan == scan), FIRST)

    def next_number(self, origin: str) -> int:
        """Number of the next attempt; those that failed count."""
        return max((attempt.number for attempt in self._of.get(origin, ())), default=FIRST) + 1

    def given_up(self, origin: str) -> Attempt | None:
        """The line that ends the attempts, if there is one."""
        return next((attempt for attempt in self._of.get(origin, ()) if attempt.kind == "given_up"), None)


def ledger_path(output: Path) -> Path:
    """Where the ledger lies."""
    return output / LEDGER_NAME


def read_attempts(output: Path) -> Chains:
    """Read the ledger; empty where there is none.

    Raises
    ------
    StoreError
        if a line is no attempt.
    """
    path = ledger_path(output)
    if not path.is_file():
        return Chains()
    attempts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            attempts.append(Attempt.model_validate_json(line))
        except ValidationError as error:
            raise StoreError(
                "broken_ledger",
                f"{LEDGER_NAME}, line {number}, is no attempt ({error.error_count()} faults).",
                "Restore the file from a backup: it says which file was made from which.",
            ) from None
    return Chains(attempts)


def add_attempt(output: Path, attempt: Attempt) -> None:
    """Add one line and wait until it is on the disk.

    Raises
    ------
    StoreError
        if OUTPUT cannot be written.
    """
    try:
        with ledger_path(output).open("a", encoding="utf-8") as file:
            file.write(attempt.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        fault = output_error(error, output)
        if fault is None:
            raise
        raise fault from error


def attempt_name(origin: str, number: int) -> str:
    """Name of the file of an attempt, a path relative to OUTPUT that no scan of INPUT has."""
    folder, _, name = origin.rpartition("/")
    ending = ".nii.gz" if name.endswith(".nii.gz") else ".nii"
    stem = name.removesuffix(ending)
    return "/".join(filter(None, (ATTEMPTS_FOLDER, folder, f"{stem}_attempt-{number}{ending}")))
