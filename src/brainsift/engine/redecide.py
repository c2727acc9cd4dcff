"""Decisions again from records: a new calibration costs no scan a second look."""

from __future__ import annotations

from collections.abc import Iterable

from brainsift.decide.decision import Action, Decision
from brainsift.decide.rules import CALIBRATED_TASKS
from brainsift.engine.calibrations import Calibrations
from brainsift.store.duplicates import DUPLICATE_KEY, mark_duplicate
from brainsift.store.record import Record
from brainsift.tasks.base import Finding


def reason_of(findings: Iterable[Finding], decisions: Iterable[Decision]) -> str:
    """What the scan is, in the words of its integrity finding, and why other tasks do not simply accept it."""
    told = {finding.task: finding.reason for finding in findings if finding.task == "integrity"}
    for decision in decisions:
        if decision.action is not Action.ACCEPT and not told.get(decision.task):
            told[decision.task] = decision.reason
    return " ".join(filter(None, told.values()))


def redecide(record: Record, calibrations: Calibrations) -> Record | None:
    """The record as these calibrations decide about it; None where they are those that it was decided with.

    Only tasks that a calibration can decide about are touched: findings, pictures and all other decisions stay.
    """
    used = calibrations.used_for(record.findings)
    site = calibrations.site_of(record.participant, record.site)
    if used == record.calibrations and (site == record.site or not used):
        return None
    decisions = []
    for finding in record.findings:
        decidable = finding.task in CALIBRATED_TASKS
        decision = calibrations.decide(finding, site) if decidable else record.decision(finding.task)
        if decision is not None:
            decisions.append(decision)
    fresh = record.model_copy(update={"decisions": tuple(decisions), "calibrations": used, "site": site})
    return fresh if record.failure is not None else _with_reason(fresh)


def _with_reason(record: Record) -> Record:
    """The record's reason made anew, and the mark of a copy put back behind it."""
    told = record.model_copy(update={"reason": reason_of(record.findings, record.decisions)})
    integrity = record.finding("integrity")
    first = integrity.measurements.get(DUPLICATE_KEY) if integrity is not None else None
    return told if first is None else mark_duplicate(told, str(first))
