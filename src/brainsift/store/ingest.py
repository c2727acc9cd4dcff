"""Records into rows: exactly one row per scan, its findings and decisions replaced with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Executable, Table, delete, insert
from sqlalchemy.dialects import postgresql, sqlite

from brainsift.store.record import Record
from brainsift.store.schema import Base, DecisionRow, FindingRow, ScanRow
from brainsift.store.text import plain

CHUNK = 500
"""Scans whose findings are replaced by one statement; SQLite allows 999 parameters on old builds."""


def models_sha256(models: dict[str, str]) -> str:
    """One digest for a set of models (id → SHA-256)."""
    return hashlib.sha256(json.dumps(models, sort_keys=True).encode()).hexdigest()


def upsert_records(connection: Connection, study: str, records: Sequence[Record]) -> None:
    """Insert or replace `records`; the last one wins where a scan comes twice. Reviews keep their scan.

    Rows are written in the order of their names, so that two runs with the same scans never wait for each other in a
    circle.
    """
    unique = {record.scan: record for record in records}
    ordered = [unique[scan] for scan in sorted(unique)]
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        ids = _upsert_scans(connection, [_scan_row(study, record) for record in chunk])
        for table in (FindingRow, DecisionRow):
            connection.execute(delete(table).where(table.scan_id.in_(ids.values())))
        _insert(connection, FindingRow, [row for record in chunk for row in _finding_rows(ids[record.scan], record)])
        _insert(connection, DecisionRow, [row for record in chunk for row in _decision_rows(ids[record.scan], record)])


def _upsert_scans(connection: Connection, rows: list[dict[str, Any]]) -> dict[str, int]:
    """Return scan → id of its row, kept where the row was there."""
    found = connection.execute(_upsert(connection.dialect.name), rows)
    return {row.scan: row.id for row in found}


@cache
def _upsert(dialect_name: str) -> Executable:
    """One statement for any number of rows, which is compiled once: SQLAlchemy sends as many at a time as the server
    takes."""
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    table = _table(ScanRow)
    statement = dialect.insert(table)
    replaced = {one.name: statement.excluded[one.name] for one in table.c if one.name not in ("id", "study", "scan")}
    upsert = statement.on_conflict_do_update(index_elements=["study", "scan"], set_=replaced)
    return cast(Executable, upsert.returning(table.c.scan, table.c.id))


def _insert(connection: Connection, table: type[FindingRow] | type[DecisionRow], rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(_table(table)), rows)


def _table(mapped: type[Base]) -> Table:
    """The table behind a class: rows are written past the ORM, which would look at each value."""
    return cast(Table, mapped.__table__)


def _scan_row(study: str, record: Record) -> dict[str, Any]:
    failure = record.failure
    integrity = record.finding("integrity")
    return {
        "study": study,
        "scan": record.scan,
        "stem": record.stem,
        "participant": record.participant,
        "session": record.session,
        "suffix": record.suffix,
        "status": record.status,
        "reason": plain(record.reason),
        "failure_kind": failure.kind if failure else None,
        "failure_stage": failure.stage if failure else None,
        "duplicate_of": integrity.measurements.get("duplicate_of") if integrity else None,
        "sha256": record.input.sha256,
        "fingerprint": record.input.fingerprint,
        "models_sha256": models_sha256(record.models),
        "settings_sha256": record.settings_sha256,
        "seconds": record.seconds,
        "record": record.model_dump_json(),
    }


def _finding_rows(scan_id: int, record: Record) -> list[dict[str, Any]]:
    return [
        {
            "scan_id": scan_id,
            "task": finding.task,
            "label": finding.label,
            "reason": plain(finding.reason),
            "probabilities": json.dumps(finding.probabilities),
            "measurements": json.dumps(finding.measurements),
            "flags": json.dumps(finding.flags),
            "model_id": finding.model_id,
            "model_sha256": finding.model_sha256,
            "seconds": finding.seconds,
        }
        for finding in record.findings
    ]


def _decision_rows(scan_id: int, record: Record) -> list[dict[str, Any]]:
    return [
        {
            "scan_id": scan_id,
            "task": decision.task,
            "action": decision.action.value,
            "rule": decision.rule,
            "reason": plain(decision.reason),
            "threshold": decision.threshold,
            "provisional": decision.provisional,
        }
        for decision in record.decisions
    ]
