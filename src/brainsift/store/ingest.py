"""Records into rows: exactly one row per scan, its findings and decisions replaced with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from brainsift.store.record import Record
from brainsift.store.schema import DecisionRow, FindingRow, ScanRow
from brainsift.store.text import plain

UPSERT_CHUNK = 40
"""Rows in one statement: 18 columns each, below the 999 parameters of old SQLite builds."""


def models_sha256(models: dict[str, str]) -> str:
    """One digest for a set of models (id → SHA-256)."""
    return hashlib.sha256(json.dumps(models, sort_keys=True).encode()).hexdigest()


def upsert_records(session: Session, study: str, records: Sequence[Record]) -> None:
    """Insert or replace `records`; the last one wins where a scan comes twice. Reviews keep their scan."""
    unique = list({record.scan: record for record in records}.values())
    for start in range(0, len(unique), UPSERT_CHUNK):
        chunk = unique[start : start + UPSERT_CHUNK]
        ids = _upsert_scans(session, [_scan_row(study, record) for record in chunk])
        for table in (FindingRow, DecisionRow):
            session.execute(delete(table).where(table.scan_id.in_(ids.values())))
        _insert(session, FindingRow, [row for record in chunk for row in _finding_rows(ids[record.scan], record)])
        _insert(session, DecisionRow, [row for record in chunk for row in _decision_rows(ids[record.scan], record)])


def _upsert_scans(session: Session, rows: list[dict[str, Any]]) -> dict[str, int]:
    """Return scan → id of its row, kept where the row was there."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(ScanRow).values(rows)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in ("study", "scan")}
    upsert = statement.on_conflict_do_update(index_elements=["study", "scan"], set_=replaced)
    return {row.scan: row.id for row in session.execute(upsert.returning(ScanRow.scan, ScanRow.id))}


def _insert(session: Session, table: type[FindingRow] | type[DecisionRow], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)


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
