"""The study table: one row per scan, columns that stay the same whatever was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from brainsift.decide.rules import REJECTED_LABELS
from brainsift.store.files import write_atomic
from brainsift.store.record import Record
from brainsift.store.text import tsv_cell
from brainsift.tasks.base import Measurement

TABLE_NAME = "brainsift.tsv"
FAILURES_NAME = "failures.tsv"

Cell = Callable[[Record], Measurement]


def _anatomy(name: str, digits: int) -> Cell:
    def cell(record: Record) -> Measurement:
        finding = record.finding("integrity")
        # A "brain volume" of a mask or of a scan without a brain would only spoil the column's statistics.
        if finding is not None and finding.label in REJECTED_LABELS:
            return None
        return _rounded(record.anatomy.get(name), digits)

    return cell


def _measured(task: str, name: str, digits: int = 3) -> Cell:
    def cell(record: Record) -> Measurement:
        finding = record.finding(task)
        return None if finding is None else _rounded(finding.measurements.get(name), digits)

    return cell


def _probability(task: str, name: str) -> Cell:
    def cell(record: Record) -> Measurement:
        finding = record.finding(task)
        return None if finding is None else _rounded(finding.probabilities.get(name), 4)

    return cell


def _label(task: str) -> Cell:
    def cell(record: Record) -> Measurement:
        finding = record.finding(task)
        return None if finding is None else finding.label

    return cell


def _decided(task: str) -> Cell:
    def cell(record: Record) -> Measurement:
        decision = record.decision(task)
        return None if decision is None else decision.action.value

    return cell


def _reason(record: Record) -> Measurement:
    if record.failure is None:
        return record.reason
    return f"{record.failure.cause} {record.failure.remedy}"


def _rounded(value: Measurement, digits: int) -> Measurement:
    return round(value, digits) if isinstance(value, float) else value


SPOKEN = {"T2starw": "GRE", "Chimap": "QSM"}
"""BIDS suffix → what radiologists call it; the other suffixes are called what they are."""


def _sequence(record: Record) -> Measurement:
    said = _measured("integrity", "sequence")(record)
    return SPOKEN.get(said, said) if isinstance(said, str) else said


COLUMNS: dict[str, Cell] = {
    "scan": lambda record: record.scan,
    "status": lambda record: record.status,
    "reason": _reason,
    "sequence": _sequence,
    "dimension": _measured("integrity", "dimension"),
    "brain_ml": _anatomy("brain_ml", 1),
    "icv_ml": _anatomy("icv_ml", 1),
    "brain_outside_fov": _anatomy("outside_fov", 3),
    "proper_probability": _probability("quality", "proper"),
    "motion_grade": _measured("quality", "motion_grade"),
    "motion_score": _measured("quality", "motion_score"),
    "noise_grade": _measured("quality", "noise_grade"),
    "noise_score": _measured("quality", "noise_score"),
    "contrast_grade": _measured("quality", "contrast_grade"),
    "contrast_score": _measured("quality", "contrast_score"),
    "gadolinium_probability": _probability("quality", "gadolinium"),
    "tier": _measured("quality", "tier"),
    "quality_decision": _decided("quality"),
    "defacing_label": _label("defacing"),
    "defacing_p_correct": _probability("defacing", "correct"),
    "defacing_p_insufficient": _probability("defacing", "insufficient"),
    "defacing_p_excessive": _probability("defacing", "excessive"),
    "defacing_p_failed": _probability("defacing", "failed"),
    "defacing_decision": _decided("defacing"),
    "wmh_ml": _measured("wmh", "volume_ml"),
    "wmh_count": _measured("wmh", "count"),
    "wmh_periventricular_ml": _measured("wmh", "periventricular_ml"),
    "wmh_juxtacortical_ml": _measured("wmh", "juxtacortical_ml"),
    "wmh_deep_ml": _measured("wmh", "deep_ml"),
    "wmh_infratentorial_ml": _measured("wmh", "infratentorial_ml"),
    "wmh_icv_percent": _measured("wmh", "volume_icv_percent"),
    "wmh_decision": _decided("wmh"),
    "microbleed_count": _measured("microbleeds", "count"),
    "microbleed_possible": _measured("microbleeds", "possible_count"),
    "microbleed_lobar": _measured("microbleeds", "lobar_count"),
    "microbleed_deep": _measured("microbleeds", "deep_count"),
    "microbleed_infratentorial": _measured("microbleeds", "infratentorial_count"),
    "microbleed_bin": _measured("microbleeds", "count_bin"),
    "microbleed_candidates": _measured("microbleeds", "candidates"),
    "microbleeds_decision": _decided("microbleeds"),
    "seconds": lambda record: round(record.seconds, 2),
    "sha256": lambda record: record.input.sha256,
}
"""Column of `brainsift.tsv` → where its value is in the record. Later tasks fill theirs; an empty cell was not asked.
"""

FAILURE_COLUMNS = ("scan", "kind", "cause", "remedy", "stage")


def format_cell(value: Measurement) -> str:
    """One value as text: empty for None, `true`/`false`, numbers in their shortest exact form, text made safe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return tsv_cell(value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def table_row(record: Record) -> dict[str, str]:
    """Column → cell of one scan."""
    return {name: format_cell(cell(record)) for name, cell in COLUMNS.items()}


def failure_row(record: Record) -> dict[str, str]:
    """Column → cell of one failed scan."""
    if record.failure is None:
        raise ValueError(f"{record.scan} has not failed")
    failure = record.failure
    values = (record.scan, failure.kind, failure.cause, failure.remedy, failure.stage)
    return dict(zip(FAILURE_COLUMNS, map(format_cell, values), strict=True))


def write_tables(records: Iterable[Record], output: Path) -> None:
    """Write `brainsift.tsv` and `failures.tsv` from `records`, in the order given, in one pass."""
    rows, failures = [_line(COLUMNS)], [_line(FAILURE_COLUMNS)]
    for record in records:
        rows.append(_line(table_row(record).values()))
        if record.failure is not None:
            failures.append(_line(failure_row(record).values()))
    write_atomic(output / TABLE_NAME, "".join(rows), output)
    write_atomic(output / FAILURES_NAME, "".join(failures), output)


def read_table(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a table that `write_tables` wrote, cells as written (`from_tsv_cell` undoes the escapes)."""
    with path.open(encoding="utf-8", newline="") as file:
        names = file.readline().rstrip("\n").split("\t")
        for line in file:
            yield dict(zip(names, line.rstrip("\n").split("\t"), strict=True))


def _line(cells: Iterable[str]) -> str:
    return "\t".join(cells) + "\n"
