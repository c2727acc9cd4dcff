"""Scans with the same bytes: the first by name is the scan, the later ones are marked as copies of it."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select

from brainsift.store.database import Database, translated_errors
from brainsift.store.record import Record
from brainsift.store.record_io import parse_record
from brainsift.store.schema import ScanRow

DUPLICATE_FLAG = "duplicate"
DUPLICATE_KEY = "duplicate_of"


def duplicate_reason(first: str) -> str:
    """The sentence that a copy carries."""
    return f"Same content as {first}."


def mark_duplicate(record: Record, first: str | None) -> Record:
    """Return `record` marked as a copy of the scan `first`, or with any such mark taken off."""
    integrity = record.finding("integrity")
    if integrity is None:
        return record
    reason = record.reason
    before = integrity.measurements.get(DUPLICATE_KEY)
    if before is not None:
        reason = reason.removesuffix(duplicate_reason(str(before))).rstrip()
    measurements = {key: value for key, value in integrity.measurements.items() if key != DUPLICATE_KEY}
    flags = tuple(flag for flag in integrity.flags if flag != DUPLICATE_FLAG)
    if first is not None:
        reason = f"{reason} {duplicate_reason(first)}".strip()
        measurements[DUPLICATE_KEY] = first
        flags = (*flags, DUPLICATE_FLAG)
    marked = integrity.model_copy(update={"measurements": measurements, "flags": flags})
    findings = tuple(marked if finding is integrity else finding for finding in record.findings)
    return record.model_copy(update={"reason": reason, "findings": findings})


def find_changed_duplicates(database: Database) -> list[Record]:
    """Records whose mark is not what the study as it stands asks for, marked anew. The database is not changed.

    Depends on names and hashes alone, so that the order in which scans were finished does not show.
    """
    first = (
        select(ScanRow.sha256, func.min(ScanRow.scan).label("first"))
        .where(ScanRow.study == database.study, ScanRow.status == "done", ScanRow.sha256.is_not(None))
        .group_by(ScanRow.sha256)
        .having(func.count() > 1)
        .subquery()
    )
    wanted = and_(first.c.first.is_not(None), first.c.first != ScanRow.scan)
    query = (
        select(ScanRow.scan, ScanRow.record, first.c.first)
        .join(first, first.c.sha256 == ScanRow.sha256, isouter=True)
        .where(
            ScanRow.study == database.study,
            ScanRow.status == "done",
            or_(
                and_(wanted, or_(ScanRow.duplicate_of.is_(None), ScanRow.duplicate_of != first.c.first)),
                and_(or_(first.c.first.is_(None), first.c.first == ScanRow.scan), ScanRow.duplicate_of.is_not(None)),
            ),
        )
        .order_by(ScanRow.scan)
    )
    with translated_errors(), database.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [mark_duplicate(parse_record(text, scan), None if name == scan else name) for scan, text, name in rows]
