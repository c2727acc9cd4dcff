"""What the decisions of a study rest on: the thresholds in use, and whether its scans still score like those that the
thresholds were tested on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from brainsift.decide.doubt import doubts
from brainsift.decide.drift import DriftAlarm, Look
from brainsift.decide.route import good_probability
from brainsift.decide.rules import CALIBRATED_TASKS
from brainsift.decide.stored import Calibration, CalibrationError, read_calibration
from brainsift.store.record import Record

KEPT_FOLDER = "calibrations"
"""Below OUTPUT: a copy of every calibration that decided there, because the file that was given may move or change."""

NAMED_DIGITS = 12
"""Of the SHA-256 in the name of a copy."""


def kept_path(output: Path, task: str, sha256: str) -> Path:
    """Where the calibration of a task with this SHA-256 is kept."""
    return output / KEPT_FOLDER / f"{task}_{sha256[:NAMED_DIGITS]}.json"


@dataclass(frozen=True)
class Drift:
    """Scores of a study's people (one scan of each) against those of a calibration's people.

    Attributes
    ----------
    people : of the study, whose scores the calibration may be asked about.
    reference : people of the calibration.
    looks : comparisons made, one for each batch of new people.
    batch : people that a look takes.
    """

    people: int
    reference: int
    looks: tuple[Look, ...]
    batch: int

    @property
    def alarm(self) -> bool:
        """Whether the scans have changed by more than chance allows."""
        return any(look.alarm for look in self.looks)

    @property
    def distance(self) -> float:
        """Largest Kolmogorov-Smirnov distance of all looks, 0 without any."""
        return max((look.distance for look in self.looks), default=0.0)


@dataclass(frozen=True)
class Basis:
    """What decisions of one task rest on.

    Attributes
    ----------
    task : whose decisions.
    sha256 : of the calibration's file; None where there was none.
    scans : decided so.
    provisional : of these, by a threshold that promises nothing.
    calibration : None where there was none, or its file is not in OUTPUT any more.
    drift : None where the calibration is not known or kept no scores.
    """

    task: str
    sha256: str | None
    scans: int
    provisional: int
    calibration: Calibration | None = None
    drift: Drift | None = None


@dataclass
class _Seen:
    """Scans decided by one calibration, and the score of one scan of each of their people."""

    calibration: Calibration | None
    scans: int = 0
    provisional: int = 0
    people: set[str] = field(default_factory=set)
    scores: list[float] = field(default_factory=list)

    def add(self, record: Record, task: str, provisional: bool) -> None:
        self.scans += 1
        self.provisional += provisional
        person = record.participant or record.scan
        finding = record.finding(task)
        if self.calibration is None or finding is None or person in self.people:
            return
        # The reference holds believed findings of the calibrated model, one scan of each person.
        if finding.model_sha256 != self.calibration.model_sha256 or doubts(finding, self.calibration.limits):
            return
        score = good_probability(finding, self.calibration, None if self.calibration.by == "sequence" else record.site)
        if score is not None:
            self.people.add(person)
            self.scores.append(score)

    def drift(self) -> Drift | None:
        reference = () if self.calibration is None else self.calibration.pooled.scores
        if not reference:
            return None
        alarm = DriftAlarm(reference)
        looks = alarm.add(self.scores)
        return Drift(len(self.scores), len(reference), tuple(looks), alarm.batch)


class Bases:
    """Gathers, record by record, what decisions rest on.

    Parameters
    ----------
    output : the OUTPUT folder, which holds the calibrations.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._seen: dict[tuple[str, str | None], _Seen] = {}

    def gather(self, records: Iterable[Record]) -> Bases:
        """Take in all records."""
        for record in records:
            self.add(record)
        return self

    def add(self, record: Record) -> None:
        """Take in one record: its decisions by probability."""
        for decision in record.decisions:
            if decision.task not in CALIBRATED_TASKS:
                continue
            key = decision.task, record.calibrations.get(decision.task)
            if key not in self._seen:
                self._seen[key] = _Seen(self._read(*key))
            self._seen[key].add(record, decision.task, decision.provisional)

    def found(self) -> list[Basis]:
        """By task, the most used calibration first."""
        rows = [
            Basis(task, sha256, seen.scans, seen.provisional, seen.calibration, seen.drift())
            for (task, sha256), seen in self._seen.items()
        ]
        return sorted(rows, key=lambda row: (row.task, -row.scans))

    def _read(self, task: str, sha256: str | None) -> Calibration | None:
        if sha256 is None:
            return None
        try:
            return read_calibration(kept_path(self._output, task, sha256))
        except (OSError, CalibrationError):
            return None
