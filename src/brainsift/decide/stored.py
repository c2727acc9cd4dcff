"""A calibration as a file: what was promised, from how many people, and for which model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brainsift.decide.calibration import Calibrator, Unchanged

SCHEMA_VERSION = 1

Way = Literal["accept", "reject"]


class CalibrationError(ValueError):
    """A calibration that cannot be made or used.

    Parameters
    ----------
    cause : one sentence saying what was found.
    remedy : one sentence saying what the user can do.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[CalibrationError], tuple[str, str]]:
        return type(self), (self.cause, self.remedy)


class Direction(BaseModel):
    """Accepting, or rejecting, and what is promised of it.

    `threshold` is the least probability that deciding so is right; None: nothing is decided so. Of `decided` people
    (one scan each) `errors` were wrong, which leaves an error rate of `bound` possible; a `provisional` threshold
    promises nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float | None = Field(default=None, gt=0, le=1)
    provisional: bool
    alpha: float = Field(gt=0, lt=1)
    decided: int = Field(default=0, ge=0)
    errors: int = Field(default=0, ge=0)
    bound: float | None = None


class Stratum(BaseModel):
    """Thresholds of one kind of scans, with the scores (one a person, in order) that they were tested on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(ge=0)
    good: int = Field(ge=0)
    accept: Direction
    reject: Direction
    scores: tuple[float, ...] = ()

    def direction(self, way: Way) -> Direction:
        """The direction of that name."""
        return self.accept if way == "accept" else self.reject


class Calibration(BaseModel):
    """All that is needed to decide about the findings of one task by one model.

    Attributes
    ----------
    parts : columns of `labels.tsv` that together said whether a scan was good.
    n, people : labelled scans and people that were used.
    by : what the strata are of (``sequence``, ``site``); None for one stratum.
    pooled : thresholds of all scans together, for strata with too few labels.
    strata : thresholds of those that had enough.
    probabilities : how probabilities of single strata are calibrated, where there were people enough to fit it to them
        alone; elsewhere `probability`.
    seen : people in every stratum that has labels at all; elsewhere nothing is promised.
    limits : measurement → lowest and highest value of scans like these.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    task: str
    parts: tuple[str, ...] = Field(min_length=1)
    model_id: str | None = None
    model_sha256: str | None = None
    n: int = Field(ge=0)
    people: int = Field(ge=0)
    delta: float = Field(gt=0, lt=1)
    seed: int = 0
    probability: Calibrator = Unchanged()
    by: str | None = None
    pooled: Stratum
    strata: dict[str, Stratum] = Field(default_factory=dict)
    probabilities: dict[str, Calibrator] = Field(default_factory=dict)
    seen: dict[str, int] = Field(default_factory=dict)
    limits: dict[str, tuple[float, float]] = Field(default_factory=dict)
    software: str = ""

    def stratum(self, name: str | None) -> Stratum | None:
        """Thresholds for a scan of that stratum; None where no scan like it was labelled."""
        if self.by is None:
            return self.pooled
        if name is None or name not in self.seen:
            return None
        return self.strata.get(name, self.pooled)

    def calibrator(self, name: str | None) -> Calibrator:
        """What makes the probabilities of a stratum mean what they say."""
        return self.probability if name is None else self.probabilities.get(name, self.probability)


def dump_calibration(calibration: Calibration) -> str:
    """The file's text."""
    return calibration.model_dump_json(indent=1) + "\n"


def read_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Raises
    ------
    CalibrationError
        if it is none, or a newer BrainSift wrote it.
    OSError
        if the file cannot be read.
    """
    text = path.read_bytes()
    try:
        version = json.loads(text)["schema_version"]
    except (ValueError, KeyError, TypeError):
        version = None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        cause = f"{path.name} has schema version {version}; this BrainSift knows up to {SCHEMA_VERSION}."
        raise CalibrationError(cause, "Update BrainSift, or calibrate again.")
    try:
        return Calibration.model_validate_json(text)
    except ValidationError as error:
        first = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the file"
        raise CalibrationError(f"{path.name} is no valid calibration ({first}).", "Calibrate again.") from None
