"""What people said as `labels.tsv`, one row per scan and person, for `train`, `calibrate` and `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from brainsift.store.database import Database
from brainsift.store.labels_tsv import labels_text
from brainsift.store.record import Record
from brainsift.store.reviews.verdicts import standing_answers

LABELS_NAME = "labels.tsv"

MASK = ".nii.gz"
POINTS = ".tsv"


def label_rows(database: Database) -> list[dict[str, Any]]:
    """Rows of `labels.tsv`: what each person said of each scan in all tasks together, sorted by scan and person.

    Answers that were taken back, that are about another content than today's, and catch trials are left out. Of two
    answers of one person to the same question the later one counts (an adjudicator's ruling).
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for said in standing_answers(database):
        record = database.record(said["scan"])
        if record is None:
            continue
        place = said["scan"], said["reviewer"]
        row = rows.setdefault(place, {"scan": record.scan, "participant": record.participant, "site": record.site})
        row |= {"rater": said["reviewer"], **columns_of(said, record)}
    told = [row for _, row in sorted(rows.items())]
    return [row for row in told if set(row) - {"scan", "participant", "site", "rater"}]


def labels_tsv(database: Database) -> str:
    """The file as text; paths in it are relative to OUTPUT."""
    return labels_text(label_rows(database))


def columns_of(said: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """Columns that one answer fills; a drawing that was not called right is no label."""
    task, choice, fields = said["task"], said["choice"], json.loads(said["fields"])
    if task == "integrity":
        return {"proper": choice == "usable"}
    if task == "quality":
        return dict(_quality(choice, fields))
    if task == "defacing":
        return {"defacing": choice}
    if choice != "right":
        return {}
    path = _drawing(record, task, MASK if task == "wmh" else POINTS)
    return {} if path is None else {"wmh_mask" if task == "wmh" else "microbleeds": path}


def _quality(choice: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "proper", choice != "not_proper"
    if choice == "not_proper":
        return
    for grade in ("motion", "noise", "contrast"):
        yield grade, fields.get(grade, 0)
    yield "gadolinium", bool(fields.get("gadolinium"))


def _drawing(record: Record, task: str, ending: str) -> str | None:
    finding = record.finding(task)
    paths = finding.evidence.values() if finding else ()
    return next((path for path in paths if path.endswith(ending)), None)


def write_labels_file(database: Database, path: Path) -> int:
    """Write the labels and return how many rows there are."""
    from brainsift.store.labels_tsv import write_labels

    rows = label_rows(database)
    write_labels(rows, path)
    return len(rows)
