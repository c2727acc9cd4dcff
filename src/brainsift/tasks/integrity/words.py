"""The finding in one sentence that a data manager understands."""

from __future__ import annotations

from collections.abc import Sequence

from brainsift.tasks.base import Finding

WHAT_IT_IS = {
    "mask": "A mask, not an image",
    "label_map": "A label map, not an image",
    "parameter_map": "A phase image or parameter map, not a weighted image",
    "empty": "No signal: every voxel is 0",
    "constant": "No image: every voxel has the same value",
    "no_brain": "No brain was found",
}

FAULTS = {
    "sform_qform_conflict": "the header gives two positions that disagree",
    "clipped": "the brightest voxels are clipped",
    "low_confidence": "the anatomy is uncertain",
}


def describe(finding: Finding) -> str:
    """Put the label, the measurements and the flags of an integrity finding into words."""
    parts = [WHAT_IT_IS[finding.label]] if finding.label in WHAT_IT_IS else _describe_image(finding)
    if "four_d" in finding.flags:
        parts.append(f"the file holds {finding.measurements['volumes']} volumes and only the first was looked at")
    if "nonfinite" in finding.flags:
        parts.append(f"{finding.measurements['nonfinite_voxels']} voxels were not numbers and were set to 0")
    parts += [words for flag, words in FAULTS.items() if flag in finding.flags]
    return _sentence(parts)


def _describe_image(finding: Finding) -> list[str]:
    measured = finding.measurements
    sequence = measured["sequence"]
    name = "scan of unknown sequence" if sequence == "unknown" else f"{sequence} scan"
    if measured["dimension"] == "2D":
        thick = max(float(measured[f"spacing_mm_{axis}"] or 0) for axis in "xyz")
        parts = [f"{name}, 2D stack of {thick:.3g} mm slices"]
    else:
        parts = [f"3D {name}"]
    if "sequence_conflict" in finding.flags:
        parts.append(_conflict(finding))
    if measured["skull_stripped"]:
        parts.append("skull-stripped")
    if "brain_cut" in finding.flags:
        parts.append(f"{float(measured['outside_fov'] or 0):.0%} of the brain outside the field of view")
    return parts


def _conflict(finding: Finding) -> str:
    witnesses = (("header", "sequence_from_header"), ("name", "sequence_from_name"), ("image", "sequence_from_image"))
    said = [f"the {who} says {finding.measurements[key]}" for who, key in witnesses if finding.measurements[key]]
    return " but ".join((", ".join(said[:-1]), said[-1])) if len(said) > 1 else "sequence in doubt"


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
