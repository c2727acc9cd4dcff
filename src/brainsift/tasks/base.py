"""What every task is: a question asked of one scan, answered by one `Finding`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume

Measurement = float | int | bool | str | None


class Finding(BaseModel):
    """What one task found in one scan.

    `measurements` carry their unit in the name (`volume_ml`, `diameter_mm`); `evidence` maps a name to a path relative
    to OUTPUT.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    label: str
    reason: str = ""
    probabilities: dict[str, float] = Field(default_factory=dict)
    measurements: dict[str, Measurement] = Field(default_factory=dict)
    flags: tuple[str, ...] = ()
    evidence: dict[str, str] = Field(default_factory=dict)
    model_id: str | None = None
    model_sha256: str | None = None
    seconds: float = 0.0


class Task(Protocol):
    """A question asked of a scan. No task knows another."""

    name: str

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Whether the question makes sense for this scan."""
        ...

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Answer it. Raises `ScanError` where the scan cannot be answered for."""
        ...


@runtime_checkable
class Networked(Protocol):
    """A task that asks a network of its own."""

    def on(self, shelf: Path | None, threads: int | None) -> Task:
        """The task with the network of the user's `shelf`, where one is there, and this many threads (None: all)."""
        ...
