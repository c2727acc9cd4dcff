"""Accept, reject, or refer: a finding and a calibration in, a decision out."""

from __future__ import annotations

from dataclasses import dataclass

from brainsift.decide.calibration import Unchanged
from brainsift.decide.decision import Action, Decision
from brainsift.decide.doubt import doubts
from brainsift.decide.provisional import PROVISIONAL
from brainsift.decide.scores import PARTS, Score, faults_outside, score
from brainsift.decide.stored import Calibration, Direction, Stratum
from brainsift.decide.strata import sequence_of
from brainsift.tasks.base import Finding

RULE = "good_probability"
"""Name of the rule that compares a probability with the two thresholds."""

UNCONFIRMED = Stratum(
    people=0,
    good=0,
    accept=Direction(threshold=PROVISIONAL["accept"], provisional=True, alpha=0.05),
    reject=Direction(threshold=PROVISIONAL["reject"], provisional=True, alpha=0.05),
)
"""Stands where no calibration holds."""


def decide_quality(finding: Finding, calibration: Calibration | None = None, stratum: str | None = None) -> Decision:
    """Accept a proper scan without a severe fault, reject the others, refer what is not sure.

    Raises
    ------
    ValueError
        if the finding belongs to another task.
    """
    if finding.task != "quality":
        raise ValueError(f"Only quality findings are decided here, got one of {finding.task!r}")
    return decide_with(finding, calibration, stratum)


def decide_with(finding: Finding, calibration: Calibration | None, stratum: str | None = None) -> Decision:
    """Decide by the thresholds of a calibration, or by the stricter provisional ones where none holds.

    Parameters
    ----------
    finding : of a task with parts (`decide.scores.PARTS`).
    calibration : of that task; one of another model is set aside, and the reason says so.
    stratum : sequence or site of the scan, whatever the calibration is divided by. For `sequence` the finding's own
        (`decide.strata.sequence_of`) is taken if it is not given.

    Raises
    ------
    ValueError
        if task and calibration do not belong together, or the task has no parts.
    """
    if finding.task not in PARTS:
        raise ValueError(f"Only {', '.join(PARTS)} are decided by probability, got {finding.task!r}")
    if calibration is not None and calibration.task != finding.task:
        raise ValueError(f"A calibration of {calibration.task!r} cannot decide about {finding.task!r}")
    basis = _basis(finding, calibration, stratum)
    if told := doubts(finding, basis.calibration.limits if basis.calibration else None):
        return _decision(finding, Action.REFER, "doubt", f"A person should look: {'; '.join(told)}.", basis.thresholds)
    found = score(finding, basis.calibration.parts if basis.calibration else None)
    if found is None:
        return _decision(finding, Action.REFER, "no_score", "The model gave no usable probability.", basis.thresholds)
    return _by_threshold(finding, found, basis)


@dataclass(frozen=True)
class _Basis:
    """What a decision rests on, and what to add to its reason."""

    thresholds: Stratum
    calibration: Calibration | None = None
    note: str = ""
    stratum: str | None = None


def _basis(finding: Finding, calibration: Calibration | None, stratum: str | None) -> _Basis:
    if calibration is None:
        return _Basis(UNCONFIRMED)
    if calibration.model_sha256 != finding.model_sha256:
        return _Basis(UNCONFIRMED, None, " The calibration is of another model: provisional thresholds.")
    stratum = _stratum(finding, calibration, stratum)
    thresholds = calibration.stratum(stratum)
    if thresholds is None:
        named = f"{calibration.by} {stratum!r}" if stratum is not None else f"this {calibration.by}"
        return _Basis(UNCONFIRMED, calibration, f" No labels of {named}: provisional thresholds.", stratum)
    return _Basis(thresholds, calibration, "", stratum)


def _stratum(finding: Finding, calibration: Calibration, given: str | None) -> str | None:
    return sequence_of(finding) if given is None and calibration.by == "sequence" else given


def good_probability(finding: Finding, calibration: Calibration | None, stratum: str | None = None) -> float | None:
    """Calibrated probability that a scan is good; None where the finding does not say. Watch these for drift.

    Parameters
    ----------
    stratum : as in `decide_with`.
    """
    found = score(finding, calibration.parts if calibration else None)
    if found is None:
        return None
    return _calibrated(found, calibration, _stratum(finding, calibration, stratum) if calibration else None)


def _calibrated(found: Score, calibration: Calibration | None, stratum: str | None) -> float:
    return float((calibration.calibrator(stratum) if calibration else Unchanged()).apply(found.value))


def _by_threshold(finding: Finding, found: Score, basis: _Basis) -> Decision:
    p = _calibrated(found, basis.calibration, basis.stratum)
    accept, reject = basis.thresholds.accept, basis.thresholds.reject
    accepts = accept.threshold is not None and p >= accept.threshold
    rejects = reject.threshold is not None and 1 - p >= reject.threshold
    outside = faults_outside(finding, basis.calibration.parts) if basis.calibration else []
    if accepts and outside:
        named = " and ".join(part.fault for part in outside)
        told = f"Good in what the calibration covers, but {named} is likely, which it does not.{basis.note}"
        return _decision(finding, Action.REFER, "outside_calibration", told, basis.thresholds)
    said = f"good with probability {p:.3g}"
    if accepts and not rejects:
        told = f"Good: {said}, accepted from {accept.threshold:.3g}.{basis.note}"
        return _decision(finding, Action.ACCEPT, RULE, told, basis.thresholds, accept)
    fault = _fault(found, finding)
    weakest = f"{fault[0].upper()}{fault[1:]}"
    if rejects and not accepts:
        told = f"{weakest}: {said}, rejected up to {1 - float(reject.threshold or 1):.3g}.{basis.note}"
        return _decision(finding, Action.REJECT, RULE, told, basis.thresholds, reject)
    told = f"Not sure: {said}; the weakest point: {fault}.{basis.note}"
    return _decision(finding, Action.REFER, RULE, told, basis.thresholds)


def _fault(found: Score, finding: Finding) -> str:
    """Words for the weakest part; of a scan that is not what it is filed as, with the reason."""
    because = finding.measurements.get("not_proper_because")
    if found.weakest.name != "proper" or not isinstance(because, str):
        return found.weakest.fault
    return f"not a proper 3D {finding.measurements.get('filed_as')} ({because})"


def _decision(
    finding: Finding, action: Action, rule: str, reason: str, thresholds: Stratum, by: Direction | None = None
) -> Decision:
    """`threshold` is the probability of good from which, or for a rejection up to which, the decision was made."""
    used = (by,) if by else (thresholds.accept, thresholds.reject)
    threshold = by.threshold if by else None
    if threshold is not None and action is Action.REJECT:
        threshold = 1 - threshold
    provisional = any(one.provisional for one in used)
    return Decision(
        task=finding.task, action=action, rule=rule, reason=reason, threshold=threshold, provisional=provisional
    )
