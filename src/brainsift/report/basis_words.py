"""What the decisions of a study rest on, in words."""

from __future__ import annotations

from dataclasses import dataclass

from brainsift.report.words import number, task_name
from brainsift.store.basis import NAMED_DIGITS, Basis, Drift

PROVISIONAL = "Provisional thresholds, set in advance, which promise nothing: there are no labels of this study."
LOST = (
    "The file of this calibration is not in OUTPUT any more: what it promised is not known, and drift is not watched."
)

DONE = {"accept": "accepted", "reject": "rejected"}


@dataclass(frozen=True)
class BasisView:
    """Thresholds that a task was decided with.

    Attributes
    ----------
    task : for its name.
    name : first digits of the calibration's SHA-256; empty without one.
    lines : sentences, in order.
    alarm : what has to be said at the top of the page; empty without an alarm.
    """

    task: str
    name: str
    lines: tuple[str, ...]
    alarm: str


def basis_view(basis: Basis) -> BasisView:
    """Put one basis into words."""
    lines = [f"{basis.scans:,} {'scan' if basis.scans == 1 else 'scans'}."]
    calibration = basis.calibration
    if basis.sha256 is None:
        lines.append(PROVISIONAL)
    elif calibration is None:
        lines.append(LOST)
    else:
        by = "" if calibration.by is None else f", by {calibration.by}"
        lines.append(f"Calibrated on {calibration.people:,} labelled people{by}.")
        for way in ("accept", "reject"):
            direction = calibration.pooled.accept if way == "accept" else calibration.pooled.reject
            tolerated, sure = f"{100 * direction.alpha:.3g} %", f"{100 * (1 - calibration.delta):.3g} %"
            if direction.threshold is None:
                lines.append(f"None is {DONE[way]}: the labels spoke against it.")
            elif direction.provisional:
                lines.append(f"What is {DONE[way]} rests on a provisional threshold.")
            else:
                lines.append(f"Promise: of the {DONE[way]} at most {tolerated} are wrong, with {sure} confidence.")
        if basis.provisional:
            lines.append(f"{basis.provisional:,} of the decisions rest on provisional thresholds all the same.")
    if basis.drift is not None:
        lines.append(drift_words(basis.drift))
    name = "" if basis.sha256 is None else basis.sha256[:NAMED_DIGITS]
    return BasisView(basis.task, name, tuple(lines), _alarm(basis))


def drift_words(drift: Drift) -> str:
    """Whether the scans still score like those of the calibration."""
    if not drift.looks:
        return f"Drift: {drift.people:,} people to compare; the first look takes {drift.batch}."
    looks = f"{len(drift.looks)} {'look' if len(drift.looks) == 1 else 'looks'} at {drift.batch} people each"
    said = "alarm" if drift.alarm else "no alarm"
    return (
        f"Drift: {said} in {looks}; largest distance to the {drift.reference:,} people of the calibration "
        f"{number(drift.distance)}."
    )


def _alarm(basis: Basis) -> str:
    if basis.drift is None or not basis.drift.alarm:
        return ""
    return (
        f"The scans have changed since {task_name(basis.task)} was calibrated: its promise does not hold for them. "
        f"Label a random sample and calibrate again: brainsift calibrate {basis.task} OUTPUT --labels labels.tsv"
    )
