"""The finding in one sentence that a data manager understands."""

from __future__ import annotations

from brainsift.tasks.base import Finding
from brainsift.tasks.quality.network import GRADED

DEGREE = ("no", "some", "strong")
FAULT = {"motion": "motion", "noise": "noise", "contrast": "loss of contrast"}
TIERS = {1: "good", 2: "moderate", 3: "bad"}


def describe(finding: Finding) -> str:
    """Put label, grades and tier of a quality finding into words, with the rule of the tier."""
    measured = finding.measurements
    what = f"{measured['sequence']} with gadolinium" if measured["gadolinium"] else f"{measured['sequence']}"
    because = measured.get("not_proper_because")
    if because is not None:
        likely = finding.probabilities["proper"]
        return f"Not a proper 3D {measured['filed_as']} ({likely:.0%} likely to be one): {because}."
    if measured.get("stack_of_slices"):
        return "A stack of thick slices, not a 3D scan: not proper by its geometry, so it gets no grades."
    if finding.label != "proper":
        return f"Does not look like a proper brain scan ({finding.probabilities['proper']:.0%} likely to be one)."
    grades = {name: int(measured[f"{name}_grade"] or 0) for name in GRADED}
    found = [f"{DEGREE[grade]} {FAULT[name]}" for name, grade in grades.items() if grade]
    tier = 1 + max(grades.values())
    why = ", ".join(found) if found else "no motion, noise or loss of contrast"
    stripped = " The skull was removed." if measured.get("skull_stripped") else ""
    return f"{what} of {TIERS[tier]} quality (tier {tier}, 1 + the worst grade): {why}.{stripped}"
