"""Scans with a known answer, mixed in to see whether people still look: misses rise where faults are rare."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import delete, insert

from brainsift.evaluate.labels import read_labels
from brainsift.evaluate.truth import PARTS, is_good
from brainsift.store.database import Database, translated_errors
from brainsift.store.reviews.schema import CatchRow


def set_catches(database: Database, labels: Path) -> dict[str, int]:
    """Replace the scans with a known answer by those of a labels file, and return how many each task has.

    They leave the lists: nobody needs to read them for the study. What is known is whether a scan is good
    (`evaluate.truth`), so each task that the labels can answer gets those scans.

    Raises
    ------
    LabelsError
        if the file cannot be used.
    OSError
        if it cannot be read.
    """
    given = read_labels(labels)
    known = database.known([label.scan for label in given])
    rows: dict[tuple[str, str], bool] = {}
    for label in given:
        if label.scan not in known:
            continue
        for task, parts in PARTS.items():
            filled = [part for part in parts if getattr(label, part) is not None]
            good = is_good(label, filled)
            if good is not None:
                rows[task, label.scan] = good
    with translated_errors(), database.engine.begin() as connection:
        connection.execute(delete(CatchRow).where(CatchRow.study == database.study))
        if rows:
            connection.execute(
                insert(CatchRow),
                [{"study": database.study, "task": task, "scan": scan, "good": g} for (task, scan), g in rows.items()],
            )
    return {task: sum(name == task for name, _ in rows) for task in PARTS}
