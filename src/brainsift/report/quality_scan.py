"""Quality of one scan: grades with scores, the tier and its rule, and every metric with its place in the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brainsift.report.quality_study import NO_GRADE, Measured, QualityStudy, grade_of, metric_of, sequence_of
from brainsift.report.quality_words import DEGREES, FAULTS, METRICS, PREFIX, TIER_RULE, TIERS, UNLIKE, WORST_GRADE
from brainsift.report.spread import Strip, strip
from brainsift.report.words import number

POOR_SHARE = 5.0
"""A metric among the worst 5 % of its sequence is pointed at."""

TONES = ("accept", "refer", "reject")
"""Colour of grades 0, 1, 2."""

NO_AIR = (
    "Metrics that need air around the head have no value: the scan is skull-stripped, its background was blanked, or "
    "its noise was rounded away when it was stored."
)
OF_AIR = "summary_bg_mean"
NO_METRICS = "No brain was found, so there is nothing to measure the image on."
NOT_PROPER = "This does not look like a proper scan, so that its grades say nothing and are not shown."
NO_STUDY = "Their place in the study is shown once the pages are made again from all records: brainsift report OUTPUT."
FEW_SCANS = "There are too few scans of this sequence to say where these values lie in the study."


@dataclass(frozen=True)
class Grade:
    """One artefact: name, tone, grade in words, score as text and as per cent of the scale, and where it shows most."""

    name: str
    tone: str
    degree: str
    score: str
    share: float | None
    worst: str


@dataclass(frozen=True)
class MetricRow:
    """One metric: name, what it says, which way is better, value, place in the study in words, strip, whether poor."""

    title: str
    says: str
    better: str
    value: str
    place: str
    strip: Strip | None
    poor: bool


def quality_view(measured: Measured, study: QualityStudy | None = None) -> dict[str, Any]:
    """What the page of a scan shows of its quality.

    Parameters
    ----------
    measured : measurements of the finding of task `quality`.
    study : metrics of all scans; None while the study is not complete.
    """
    has_metrics = any(name.startswith(PREFIX) for name in measured)
    rows = [_row(measured, name, study) for name in METRICS if PREFIX + name in measured]
    tier = measured.get("tier")
    tier = tier if isinstance(tier, int) else 0
    return {
        "tier": tier,
        "tier_word": TIERS.get(tier, ""),
        "tier_tone": TONES[tier - 1] if tier in TIERS else "none",
        "rule": TIER_RULE,
        "doubts": [(words, str(measured[flag])) for flag, words in UNLIKE.items() if measured.get(flag)],
        "grades": _grades(measured) if tier in TIERS else [],
        "metrics": rows,
        "others": _others(measured),
        "remark": "" if tier in TIERS else NOT_PROPER,
        "notes": _notes(measured, rows, study) if has_metrics else [NO_METRICS],
        "sequence": sequence_of(measured),
    }


def is_shown_here(name: str) -> bool:
    """Whether a measurement has its place in the quality section and need not be listed again."""
    graded = any(name.startswith(f"{fault}_") for fault in FAULTS)
    return graded or name == "tier" or name in UNLIKE or name.startswith(PREFIX)


def _grades(measured: Measured) -> list[Grade]:
    found = []
    for fault, name in FAULTS.items():
        grade = grade_of(measured, fault)
        score = measured.get(f"{fault}_score")
        if grade == NO_GRADE:
            continue
        share = round(100 * min(1.0, max(0.0, score / WORST_GRADE)), 1) if isinstance(score, int | float) else None
        text = number(float(score)) if isinstance(score, int | float) else ""
        found.append(Grade(name, TONES[grade], f"{grade} {DEGREES[grade]}", text, share, _worst(measured, fault)))
    return found


def _worst(measured: Measured, fault: str) -> str:
    """Where the artefact is strongest, ``coronal slice 94``; empty where that is not known."""
    plane, index = (measured.get(f"{fault}_worst_{part}") for part in ("plane", "slice"))
    return "" if plane is None or index is None else f"{plane} slice {index}"


def _row(measured: Measured, name: str, study: QualityStudy | None) -> MetricRow:
    metric, value = METRICS[name], metric_of(measured, name)
    better = {"high": "higher is better", "low": "lower is better"}.get(metric.better, "")
    found = study.place(measured, name) if study is not None else None
    if value is None or found is None:
        text = "–" if value is None else number(value)  # noqa: RUF001 (an en dash stands for an empty cell)
        return MetricRow(metric.title, metric.says, better, text, "", None, False)
    percent, among = found
    worse = {"high": percent, "low": 100 - percent}.get(metric.better, 50.0)
    drawn = strip(among, among.low, among.high, value)
    place = f"{percent:.0f} % of {among.n:,} lie below"
    return MetricRow(metric.title, metric.says, better, number(value), place, drawn, worse < POOR_SHARE)


def _others(measured: Measured) -> list[tuple[str, str]]:
    """The metrics that are not in `METRICS`, by MRIQC's name."""
    names = [name.removeprefix(PREFIX) for name in measured if name.startswith(PREFIX)]
    values = {name: metric_of(measured, name) for name in names if name not in METRICS}
    return [(name, number(value)) for name, value in values.items() if value is not None]


def _notes(measured: Measured, rows: list[MetricRow], study: QualityStudy | None) -> list[str]:
    notes = [NO_AIR] if metric_of(measured, OF_AIR) is None else []
    if study is None:
        notes.append(NO_STUDY)
    elif not any(row.strip for row in rows):
        notes.append(FEW_SCANS)
    return notes
