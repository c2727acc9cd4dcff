"""The record: one JSON per scan, the same content as the database row."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from brainsift.decide.decision import Decision
from brainsift.tasks.base import Finding, Measurement

SCHEMA_VERSION = 1

Status = Literal["done", "failed"]


class Failure(BaseModel):
    """Why a scan could not be answered for: a stable kind, the cause, the remedy, and the stage where it happened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    cause: str
    remedy: str
    stage: str


class InputFacts(BaseModel):
    """The file as it was read; `fingerprint` is `size:mtime_ns` of the catalog, compared before any byte is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    size: int
    fingerprint: str
    sha256: str | None = None
    stored_dtype: str | None = None
    stored_shape: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    repairs: tuple[str, ...] = ()
    header: dict[str, Any] = Field(default_factory=dict)


class Record(BaseModel):
    """All that is known of one scan after one run.

    `site` is noted where decisions depend on it; `calibrations` maps a task to the SHA-256 of the file that its
    thresholds came from (none: provisional ones); `not_asked` maps a task of the run that was left out to the reason.
    `anatomy` holds the measurements of the shared pass (`brain_ml`, `icv_ml`, `outside_fov`, `mni_residual_mm`, ...).
    `evidence` maps a name (`report`, `labels`, `brain_mask`) to a path relative to OUTPUT.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    scan: str
    stem: str
    participant: str | None = None
    session: str | None = None
    suffix: str | None = None
    site: str | None = None
    status: Status
    reason: str = ""
    input: InputFacts
    anatomy: dict[str, Measurement] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    decisions: tuple[Decision, ...] = ()
    calibrations: dict[str, str] = Field(default_factory=dict)
    not_asked: dict[str, str] = Field(default_factory=dict)
    failure: Failure | None = None
    evidence: dict[str, str] = Field(default_factory=dict)
    models: dict[str, str] = Field(default_factory=dict)
    settings_sha256: str = ""
    software: str = ""
    seconds: float = 0.0
    stage_seconds: dict[str, float] = Field(default_factory=dict)

    def finding(self, task: str) -> Finding | None:
        """The finding of `task`, if that task ran."""
        return next((f for f in self.findings if f.task == task), None)

    def decision(self, task: str) -> Decision | None:
        """The decision about `task`, if one was made."""
        return next((d for d in self.decisions if d.task == task), None)
