"""The finding in a sentence or two."""

from __future__ import annotations

from brainsift.tasks.base import Finding
from brainsift.tasks.wmh.places import Region

NONE = "no_lesions"
FOUND = "lesions"
"""Labels."""


def describe(finding: Finding) -> str:
    """How much, how many, where; a range, since it is an estimate."""
    measured = finding.measurements
    span = f"{measured['volume_low_ml']:.1f} to {measured['volume_high_ml']:.1f} mL"
    if finding.label == NONE:
        return f"No white-matter hyperintensity is marked ({span} at other thresholds)."
    volumes = {region.word: float(measured[f"{region.word}_ml"] or 0) for region in Region}
    where = ", ".join(f"{name} {ml:.1f}" for name, ml in volumes.items() if ml >= 0.05)
    count = measured["count"]
    lesions = "1 lesion" if count == 1 else f"{count} lesions"
    told = f"{measured['volume_ml']:.1f} mL of white-matter hyperintensity in {lesions} ({span} at other thresholds)"
    return f"{told}: {where} mL." if where else f"{told}."
