"""The finding in a sentence or two that a data manager understands."""

from __future__ import annotations

from brainsift.tasks.base import Finding
from brainsift.tasks.defacing.average import FEATURES
from brainsift.tasks.defacing.remedy import REMEDIES

LABELS = {
    "correct": "Face and ears are gone, and the brain looks whole",
    "insufficient": "Part of the face or the ears are left",
    "excessive": "Brain was removed",
    "failed": "The mask landed in the wrong place",
    "no_head": "The skull was stripped: there is no head to deface, and no face in it",
}

NOT_APPLIED = "Not defaced: nothing was removed"

WARNINGS = {
    "no_face_in_view": "The face lies outside the field of view.",
    "not_placed": "The brain could not be placed, so that the views follow the header.",
    "measurement_disagrees": "What was measured disagrees with the network.",
    "original_disagrees": "The comparison with the original disagrees with the network.",
    "identical_to_original": "It is the original, voxel for voxel.",
    "geometry_changed": "The tool changed the grid of the scan.",
}


LEAST_TOLD_ML = 0.5
"""Brain counts as removed from here on (docs/defacing.md)."""


def describe(finding: Finding) -> str:
    """Put label, probability, features left, warnings and remedy into words."""
    said = NOT_APPLIED if "not_applied" in finding.flags else LABELS[finding.label]
    share = finding.probabilities.get(finding.label)
    sentences = [f"{said} ({share:.0%} likely)." if share is not None else f"{said}."]
    left = [name for name in FEATURES if name in finding.flags]
    if left and finding.label in ("insufficient", "failed"):
        sentences.append(f"Left: {', '.join(left)}.")
    removed = finding.measurements.get("brain_removed_ml")
    if finding.label in ("excessive", "failed") and isinstance(removed, float) and removed >= LEAST_TOLD_ML:
        sentences.append(f"About {removed:.1f} mL of brain seem to be gone.")
    sentences += [text for flag, text in WARNINGS.items() if flag in finding.flags]
    remedy = REMEDIES.get(str(finding.measurements.get("remedy")))
    if remedy is not None and remedy.kind != "none":
        sentences.append(remedy.words)
    return " ".join(sentences)
