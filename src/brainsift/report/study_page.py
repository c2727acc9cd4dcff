"""The page of a study: what came out, what failed and why, and every scan in one table. Made from the records alone."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from brainsift.report.basis_words import basis_view
from brainsift.report.histogram import histogram
from brainsift.report.microbleeds_study import BINS
from brainsift.report.page import render, script_json
from brainsift.report.quality_study import QualityStudy
from brainsift.report.quality_words import TIER_RULE
from brainsift.report.scan_page import write_scan_page
from brainsift.report.study_data import DISTRIBUTIONS, StudyData
from brainsift.report.verdict import ORDER, WORDS
from brainsift.report.wmh_words import DERIVED
from brainsift.store.files import write_atomic
from brainsift.store.record import Record
from brainsift.store.record_io import read_record, record_files
from brainsift.store.table import TABLE_NAME

PAGE_NAME = "index.html"


def write_study_page(output: Path, url: str | None = None) -> Path:
    """Write `index.html` and return its path. Reads the database, or the record files where there is none.

    Parameters
    ----------
    output : the OUTPUT folder.
    url : SQLAlchemy URL of the database if it is not the file in `output`.

    Raises
    ------
    StoreError
        if the database or a record cannot be read.
    """
    with closing(study_records(output, url)) as records:
        page = study_page(records, output)
    path = output / PAGE_NAME
    write_atomic(path, page, output)
    return path


def write_scan_pages(output: Path, url: str | None = None) -> int:
    """Write the page of every scan of the study and return how many there are. Raises as `write_study_page`.

    Records are read twice: a page says where its scan lies among all.
    """
    with closing(study_records(output, url)) as records:
        study = QualityStudy().gather(records)
    count = 0
    with closing(study_records(output, url)) as records:
        for count, record in enumerate(records, start=1):  # noqa: B007 (the count is the answer)
            write_scan_page(record, output, study)
    return count


def study_records(output: Path, url: str | None = None) -> Generator[Record, None, None]:
    """All records of a study, in the order of their names."""
    from brainsift.store.database import DATABASE_NAME, Database

    if url is None and not (output / DATABASE_NAME).is_file():
        yield from (read_record(path) for path in record_files(output))
        return
    with Database(output, url) as database:
        yield from database.records()


def study_page(records: Iterable[Record], output: Path) -> str:
    """The page of a study as HTML."""
    study = StudyData(output).gather(records)
    verdicts = dict(study.counts("verdict"))
    bases = [basis_view(basis) for basis in study.bases.found()]
    charts = [histogram(title, unit, study.numbers(name)) for name, (title, unit, _) in DISTRIBUTIONS.items()]
    return render(
        "study.html.j2",
        script="study.js",
        total=len(study),
        verdicts=[(key, WORDS[key], verdicts[key]) for key in ORDER if key in verdicts],
        alarms=[basis.alarm for basis in bases if basis.alarm],
        bases=bases,
        not_asked=[(task, study.reasons(task)) for task in sorted(study.not_asked)],
        sites=_shares(study.counts("site")),
        tasks=[_bar(task, counts, len(study)) for task, counts in study.decisions.items()],
        sequences=_shares(study.counts("sequence")),
        charts=[chart for chart in charts if chart is not None],
        failures=sorted(study.failures.items(), key=lambda item: -item[1].count),
        tallies=study.quality.tallies(),
        metric_charts=study.quality.charts(),
        defacing_rows=study.defacing.rows(),
        defacing_share=study.defacing.automatic_share(),
        wmh_sites=study.wmh.sites(),
        wmh_grades=study.wmh.grades(),
        wmh_derived=DERIVED,
        microbleed_sites=study.microbleeds.sites(),
        microbleed_bins=BINS,
        tier_rule=TIER_RULE,
        table_name=TABLE_NAME if (output / TABLE_NAME).is_file() else None,
        words=WORDS,
        data=script_json({**study.as_json(), "words": WORDS, "filters": ["verdict", "sequence", "dimension", "site"]}),
    )


def _bar(task: str, counts: dict[str, int], total: int) -> dict[str, Any]:
    """One stacked bar: parts as (action, count, start, width), per cent of all scans."""
    parts, start = [], 0.0
    for action in ("accept", "refer", "reject"):
        width = 100 * counts[action] / total
        if counts[action]:
            parts.append((action, counts[action], round(start, 3), round(width, 3)))
        start += width
    return {"task": task, "parts": parts}


def _shares(counts: list[tuple[str, int]]) -> list[tuple[str, int, float]]:
    largest = max((count for _, count in counts), default=1)
    return [(name, count, round(100 * count / largest, 1)) for name, count in counts]
