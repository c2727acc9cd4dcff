"""Quality over a study: how often each grade and tier occurs, and how the image metrics lie by grade."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.report.quality_words import DEGREES, FAULTS, METRICS, PREFIX
from brainsift.report.spread import Spread, Strip, percentile, spread, strip
from brainsift.report.words import number
from brainsift.store.record import Record

MIN_SCANS = 8
"""With fewer scans of a sequence a percentile says more about chance than about the scan."""

NO_GRADE = -1
UNKNOWN = "unknown sequence"

Values = dict[str, "array[float]"]

Measured = Mapping[str, object]
"""Measurements of a finding of task `quality`."""


@dataclass
class _Sequence:
    """Metrics of the scans of one sequence; a missing value is NaN, so that rows stay together."""

    values: Values = field(default_factory=lambda: {name: array("d") for name in METRICS})
    grades: dict[str, array[int]] = field(default_factory=lambda: {fault: array("b") for fault in FAULTS})
    ordered: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class GradeRow:
    """One grade of one metric: what it is called, how many scans, the median as text, and the strip."""

    degree: str
    n: int
    median: str
    strip: Strip


@dataclass(frozen=True)
class MetricChart:
    """One metric by the grade of the artefact that it tells about; `ends` are the numbers below the strips."""

    title: str
    says: str
    fault: str
    sequence: str
    ends: tuple[str, str]
    rows: tuple[GradeRow, ...]


class QualityStudy:
    """What the pages need of all findings of task `quality`. Scans are compared within their sequence: a metric of a
    FLAIR says nothing beside one of a T1w."""

    def __init__(self) -> None:
        self.sequences: dict[str, _Sequence] = {}
        self.grades: dict[str, Counter[int]] = {fault: Counter() for fault in FAULTS}
        self.tiers: Counter[int] = Counter()

    def gather(self, records: Iterable[Record]) -> QualityStudy:
        """Take in all records."""
        for record in records:
            self.add(record)
        return self

    def add(self, record: Record) -> None:
        """Take in one record, if it was asked for its quality."""
        finding = record.finding("quality")
        if finding is None:
            return
        measured = finding.measurements
        tier = measured.get("tier")
        if isinstance(tier, int):
            self.tiers[tier] += 1
            # A scan without a tier is not proper: its grades tell nothing.
            for fault in FAULTS:
                self.grades[fault][grade_of(measured, fault)] += 1
        if not any(name.startswith(PREFIX) for name in measured):
            return
        kept = self.sequences.setdefault(sequence_of(measured), _Sequence())
        for name, values in kept.values.items():
            value = metric_of(measured, name)
            values.append(float("nan") if value is None else value)
        for fault, grades in kept.grades.items():
            grades.append(grade_of(measured, fault) if isinstance(tier, int) else NO_GRADE)

    def place(self, measured: Measured, name: str) -> tuple[float, Spread] | None:
        """Percentile of a scan's metric among the scans of its sequence, and how these lie; None with too few."""
        kept, value = self.sequences.get(sequence_of(measured)), metric_of(measured, name)
        if kept is None or value is None:
            return None
        if name not in kept.ordered:
            data = np.asarray(kept.values[name], dtype=np.float64)
            kept.ordered[name] = np.sort(data[np.isfinite(data)])
        ordered = kept.ordered[name]
        if len(ordered) < MIN_SCANS:
            return None
        found = spread(ordered)
        return None if found is None else (percentile(ordered, value), found)

    def charts(self) -> list[MetricChart]:
        """Every metric by grade, of the sequence that most scans have."""
        if not self.sequences:
            return []
        sequence = max(self.sequences, key=lambda name: len(next(iter(self.sequences[name].values.values()))))
        kept = self.sequences[sequence]
        charts = [_chart(name, sequence, kept) for name in METRICS]
        return [chart for chart in charts if chart is not None]

    def tallies(self) -> list[dict[str, Any]]:
        """Shares of the grades of each artefact and of the tiers, for stacked bars."""
        rows = [_tally(FAULTS[fault], counts, range(len(DEGREES)), DEGREES) for fault, counts in self.grades.items()]
        rows.append(_tally("Tier", self.tiers, (1, 2, 3), ("tier 1", "tier 2", "tier 3")))
        return [row for row in rows if row["parts"]]


def grade_of(measured: Measured, fault: str) -> int:
    """Grade 0-2 of an artefact, or `NO_GRADE`."""
    grade = measured.get(f"{fault}_grade")
    return grade if isinstance(grade, int) and 0 <= grade < len(DEGREES) else NO_GRADE


def metric_of(measured: Measured, name: str) -> float | None:
    """Value of a metric; None where it has none."""
    value = measured.get(PREFIX + name)
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None


def sequence_of(measured: Measured) -> str:
    """Sequence that the scan is compared within."""
    return str(measured.get("sequence") or UNKNOWN)


def _chart(name: str, sequence: str, kept: _Sequence) -> MetricChart | None:
    metric = METRICS[name]
    values = np.asarray(kept.values[name], dtype=np.float64)
    grades = np.asarray(kept.grades[metric.fault])
    whole = spread(values[grades != NO_GRADE])
    if whole is None:
        return None
    rows = []
    for grade, degree in enumerate(DEGREES):
        found = spread(values[grades == grade])
        if found is not None:
            rows.append(GradeRow(degree, found.n, number(found.median), strip(found, whole.low, whole.high)))
    ends = (number(whole.low), number(whole.high))
    return MetricChart(metric.title, metric.says, FAULTS[metric.fault].lower(), sequence, ends, tuple(rows))


def _tally(title: str, counts: Counter[int], keys: Iterable[int], names: Iterable[str]) -> dict[str, Any]:
    """Parts as (place, name, count, start, width), per cent of the scans that have a tier."""
    total = sum(count for key, count in counts.items() if key != NO_GRADE)
    parts, start = [], 0.0
    for place, (key, name) in enumerate(zip(keys, names, strict=True)):
        width = 100 * counts[key] / total if total else 0.0
        if counts[key]:
            parts.append((place, name, counts[key], round(start, 3), round(width, 3)))
        start += width
    return {"title": title, "parts": parts}
