"""What the study page needs of 10^5 records, gathered in one pass and kept small."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainsift.report.defacing_study import DefacingStudy
from brainsift.report.microbleeds_study import MicrobleedStudy
from brainsift.report.quality_study import QualityStudy
from brainsift.report.scan_page import REPORT_SUFFIX
from brainsift.report.verdict import verdict, verdict_key
from brainsift.report.wmh_study import WmhStudy
from brainsift.report.words import field_name, task_name
from brainsift.store.basis import Bases
from brainsift.store.files import derived_path
from brainsift.store.record import Record
from brainsift.store.table import COLUMNS

LISTED_FAILURES = 40
"""Scans listed by name for each kind of failure; the table below holds all."""

PAGE_COLUMNS = {
    "site": lambda record: record.site,
    "not_asked": lambda record: ", ".join(task_name(task) for task in record.not_asked),
}
"""Columns of the page's table that `brainsift.tsv` does not have; shown where a scan has something in them."""

LISTED_REASONS = 6
"""Reasons for which a task was not asked that are told apart; the rest are counted together."""

NUMBER = re.compile(r"\d+(\.\d+)?")
"""In a reason: "About 37% of the brain lies outside" is one reason, whatever the share."""

LEFT_OUT = ("scan", "status", "sha256")
"""Columns of the study table that the page has elsewhere (name, verdict) or does not show."""

DISTRIBUTIONS = {
    "brain_ml": ("Brain volume", "mL", 1.0),
    "icv_ml": ("Intracranial volume", "mL", 1.0),
    "brain_outside_fov": ("Brain outside the field of view", "%", 100.0),
    "wmh_ml": ("White-matter hyperintensities", "mL", 1.0),
    "seconds": ("Time per scan", "s", 1.0),
}
"""Column → title, unit and factor of its histogram."""


@dataclass
class TextColumn:
    """Strings that repeat, each kept once; -1 is an empty cell."""

    levels: dict[str, int] = field(default_factory=dict)
    codes: array[int] = field(default_factory=lambda: array("l"))

    def add(self, value: object) -> None:
        """Append one cell."""
        text = "" if value is None else str(value)
        self.codes.append(self.levels.setdefault(text, len(self.levels)) if text else -1)

    def as_json(self) -> dict[str, Any]:
        """Levels and codes."""
        return {"levels": list(self.levels), "values": self.codes.tolist()}


@dataclass
class Failures:
    """All failures of one kind; `scans` holds name, link and cause of the first ones."""

    cause: str
    remedy: str
    count: int = 0
    scans: list[tuple[str, str | None, str]] = field(default_factory=list)


class StudyData:
    """Rows by column, counts and failures of a study.

    Parameters
    ----------
    output : the OUTPUT folder, in which pages are looked up to be linked.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.scans: list[str] = []
        self.stems: list[int | str] = []
        self.text = {name: TextColumn() for name in ("verdict", "page", "picture")}
        self.cells = {name: cell for name, cell in COLUMNS.items() if name not in LEFT_OUT} | PAGE_COLUMNS
        self.columns: dict[str, list[Any]] = {name: [] for name in self.cells}
        self.decisions: dict[str, Counter[str]] = {}
        self.failures: dict[str, Failures] = {}
        self.quality = QualityStudy()
        self.defacing = DefacingStudy()
        self.wmh = WmhStudy()
        self.microbleeds = MicrobleedStudy()
        self.bases = Bases(output)
        self.not_asked: dict[str, Counter[str]] = {}

    def gather(self, records: Iterable[Record]) -> StudyData:
        """Take in all records."""
        for record in records:
            self._add(record)
        return self

    def _add(self, record: Record) -> None:
        page = derived_path(self.output, record.stem, REPORT_SUFFIX)
        link = page.relative_to(self.output).as_posix() if page.is_file() else None
        self.scans.append(record.scan)
        self.stems.append(len(record.stem) if record.scan.startswith(record.stem) else record.stem)
        self.text["verdict"].add(verdict_key(record))
        self.text["page"].add(_after(record.stem, link))
        self.text["picture"].add(_after(record.stem, record.evidence.get("mosaic")))
        for name, values in self.columns.items():
            values.append(_reason(record) if name == "reason" else self.cells[name](record))
        self.quality.add(record)
        self.defacing.add(record)
        self.wmh.add(record)
        self.microbleeds.add(record)
        self.bases.add(record)
        for task, why in record.not_asked.items():
            self.not_asked.setdefault(task, Counter())[NUMBER.sub("…", why)] += 1
        for decision in record.decisions:
            self.decisions.setdefault(decision.task, Counter())[decision.action.value] += 1
        if record.failure is not None:
            fault = record.failure
            group = self.failures.setdefault(fault.kind, Failures(fault.cause, fault.remedy))
            group.count += 1
            if len(group.scans) < LISTED_FAILURES:
                group.scans.append((record.scan, link, fault.cause))

    def __len__(self) -> int:
        return len(self.scans)

    def counts(self, name: str) -> list[tuple[str, int]]:
        """Values of a column with their counts, most frequent first; empty cells are not counted."""
        if name in self.text:
            column = self.text[name]
            names = list(column.levels)
            tally = Counter(names[code] for code in column.codes if code >= 0)
        else:
            tally = Counter(str(value) for value in self.columns[name] if value not in (None, ""))
        return sorted(tally.items(), key=lambda item: (-item[1], item[0]))

    def reasons(self, task: str) -> list[tuple[str, int]]:
        """Why a task was not asked, and of how many scans; rare reasons counted together at the end."""
        ordered = sorted(self.not_asked[task].items(), key=lambda item: (-item[1], item[0]))
        rest = sum(count for _, count in ordered[LISTED_REASONS:])
        return ordered[:LISTED_REASONS] + ([("Other reasons.", rest)] if rest else [])

    def numbers(self, name: str) -> list[float]:
        """The numbers of a column, times the factor of its histogram."""
        factor = DISTRIBUTIONS[name][2]
        return [float(v) * factor for v in self.columns[name] if isinstance(v, int | float) and not isinstance(v, bool)]

    def as_json(self) -> dict[str, Any]:
        """The rows for the page's script, column by column; columns without any value are left out."""
        columns = []
        for name, values in self.columns.items():
            filled = [v for v in values if v is not None and v != ""]
            if not filled:
                continue
            numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in filled)
            columns.append({"name": name, "label": _heading(name), **_packed(values, numeric)})
        text = {name: column.as_json() for name, column in self.text.items()}
        return {"scans": self.scans, "stems": self.stems, "columns": columns, **text}


def _reason(record: Record) -> Any:
    """Why a scan did not pass, also where only a decision says so."""
    stopped = verdict_key(record) in ("reject", "refer")
    return verdict(record).why if stopped else COLUMNS["reason"](record)


def _packed(values: list[Any], numeric: bool) -> dict[str, Any]:
    if numeric:
        return {"values": values}
    column = TextColumn()
    for value in values:
        column.add(value)
    return column.as_json()


def _after(stem: str, path: str | None) -> str | None:
    """A path as ``+rest`` after the stem, so that thousands of paths become one string, or else as ``=path``."""
    if path is None:
        return None
    return f"+{path[len(stem) :]}" if path.startswith(stem) else f"={path}"


def _heading(name: str) -> str:
    if name.endswith("_decision"):
        return task_name(name.removesuffix("_decision"))
    unit = {"ml": " (mL)", "seconds": " (s)", "percent": " (%)"}.get(name.rpartition("_")[2], "")
    short = {"brain_outside_fov": "Outside FOV", "icv_ml": "ICV", "seconds": "Time"}
    return short.get(name, field_name(name)) + unit
