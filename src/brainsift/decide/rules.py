"""Which rule decides about a finding, and the rule that needs no calibration: what follows from integrity."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from brainsift.decide.decision import Action, Decision
from brainsift.decide.defacing import decide_defacing
from brainsift.decide.microbleeds import decide_microbleeds
from brainsift.decide.route import decide_with
from brainsift.decide.stored import Calibration
from brainsift.decide.wmh import decide_wmh
from brainsift.tasks.base import Finding

CUT_REJECT_SHARE = 0.25
"""Share of the brain outside the field of view from which a scan is no whole-brain scan. Set in advance, not
calibrated."""

REJECTED_LABELS = MappingProxyType(
    {
        "mask": "It is a mask, not an image.",
        "label_map": "It is a label map, not an image.",
        "empty": "It holds no signal.",
        "constant": "All voxels have one value.",
    }
)
"""Labels that need no second look: none of these can be used as a brain scan."""

DOUBTFUL_BRAIN_ML = 100.0
"""With more brain than this labelled, "no brain" only means that the labels are not believed: a person looks."""

REFERRED_FLAGS = MappingProxyType(
    {
        "brain_cut": "part of the brain lies outside the field of view",
        "sequence_conflict": "the name or header and the image disagree on the sequence",
        "sform_qform_conflict": "the header gives two positions that disagree, left and right may be swapped",
        "four_d": "the file holds several volumes and only the first was looked at",
        "clipped": "the brightest voxels are clipped",
        "low_confidence": "the anatomy is uncertain, and with it what is said of the brain",
        "nonfinite": "it holds voxels that are no numbers",
    }
)
"""Flags of an image that a person should look at, and what to tell them. Other flags (`skull_stripped`) are reported
only."""


CALIBRATED_TASKS = ("quality", "defacing")
"""Tasks that are decided by probability: by the thresholds of a calibration, or by provisional ones."""


def decide(
    finding: Finding, calibrations: Mapping[str, Calibration] | None = None, stratum: str | None = None
) -> Decision | None:
    """Decide about a finding, or None where no rule is known for its task.

    Parameters
    ----------
    finding : of any task.
    calibrations : task → calibration; without one of its task a finding meets provisional thresholds.
    stratum : what the calibration is divided by (`decide_with`).
    """
    if finding.task == "integrity":
        return decide_integrity(finding)
    if finding.task == "wmh":
        return decide_wmh(finding)
    if finding.task == "microbleeds":
        return decide_microbleeds(finding)
    if finding.task not in CALIBRATED_TASKS:
        return None
    if finding.task == "defacing":
        return decide_defacing(finding, (calibrations or {}).get(finding.task), stratum)
    return decide_with(finding, (calibrations or {}).get(finding.task), stratum)


def decide_integrity(finding: Finding) -> Decision:
    """Accept a whole, sound image; reject what is no brain scan; refer the rest to a person.

    Raises
    ------
    ValueError
        if the finding belongs to another task.
    """
    if finding.task != "integrity":
        raise ValueError(f"Only integrity findings are decided here, got one of {finding.task!r}")
    if finding.label in REJECTED_LABELS:
        reason = finding.reason or REJECTED_LABELS[finding.label]
        return _decision(Action.REJECT, f"label_{finding.label}", reason, provisional=False)
    if finding.label == "cut":
        return _decide_cut(finding)
    if finding.label == "no_brain":
        return _decide_no_brain(finding)
    flags = [flag for flag in finding.flags if flag in REFERRED_FLAGS]
    if finding.label != "image":
        return _decision(Action.REFER, f"label_{finding.label}", finding.reason or "It is not clear what this scan is.")
    if flags:
        named = "; ".join(REFERRED_FLAGS[flag] for flag in flags)
        return _decision(Action.REFER, "+".join(flags), f"{named[0].upper()}{named[1:]}.")
    return _decision(Action.ACCEPT, "whole_image", "An image of a whole brain without an integrity fault.")


def _decide_cut(finding: Finding) -> Decision:
    share = finding.measurements.get("outside_fov")
    if not isinstance(share, int | float):
        return _decision(Action.REFER, "label_cut", finding.reason or "The brain is cut.")
    missing = f"About {share:.0%} of the brain lies outside the field of view."
    action = Action.REJECT if share >= CUT_REJECT_SHARE else Action.REFER
    return _decision(action, "outside_fov", missing, threshold=CUT_REJECT_SHARE)


def _decide_no_brain(finding: Finding) -> Decision:
    labelled = finding.measurements.get("brain_ml")
    doubtful = isinstance(labelled, int | float) and labelled >= DOUBTFUL_BRAIN_ML
    reason = "Something was labelled as brain, but it does not sit or look like one." if doubtful else finding.reason
    action = Action.REFER if doubtful else Action.REJECT
    return _decision(action, "label_no_brain", reason or "No brain was found in it.", threshold=DOUBTFUL_BRAIN_ML)


def _decision(
    action: Action, rule: str, reason: str, threshold: float | None = None, provisional: bool = True
) -> Decision:
    return Decision(
        task="integrity", action=action, rule=rule, reason=reason, threshold=threshold, provisional=provisional
    )
