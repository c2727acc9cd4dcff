"""White-matter hyperintensities of one scan: volumes, grades, the picture, the largest lesions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainsift.report.listed import first_rows
from brainsift.report.wmh_words import DERIVED, GRADES, PICTURE, REGIONS, RULE, SIZES
from brainsift.report.words import field_name, field_value, number

LISTED_LESIONS = 12
"""Of the table, the largest."""

LESION_COLUMNS = {
    "lesion": "Lesion",
    "region": "Region",
    "volume_mm3": "Volume (mm³)",
    "diameter_mm": "Longest axis (mm)",
    "mean_probability": "Mean probability",
    "mni_x_mm": "MNI x",
    "mni_y_mm": "MNI y",
    "mni_z_mm": "MNI z",
}
"""Columns of the table of lesions that the page shows → heading."""

FILES = {"wmh_mask": "mask", "wmh_probability": "probability map", "wmh_lesions": "table of lesions"}
"""Evidence that the page links to."""

SURENESS = ("volume_expected_ml", "uncertain_share", "entropy_bits", "outside_brain_share", "white_grey_contrast")

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class RegionBar:
    """One region: title, definition, volume as text, share of the total in per cent."""

    title: str
    says: str
    text: str
    share: float


def wmh_view(measured: Mapping[str, Any], evidence: Mapping[str, str], output: Path) -> dict[str, Any]:
    """What the page of a scan shows of its white-matter hyperintensities.

    Parameters
    ----------
    measured, evidence : of the finding of task `wmh`.
    output : the OUTPUT folder, in which the table of lesions is looked up.
    """
    return {
        "key": _key(measured),
        "regions": _regions(measured),
        "grades": [_grade(place, measured) for place in GRADES if f"fazekas_{place}_derived" in measured],
        "sureness": [(field_name(n), field_value(n, measured[n])) for n in SURENESS if measured.get(n) is not None],
        "headings": list(LESION_COLUMNS.values()),
        "lesions": first_rows(evidence.get("wmh_lesions"), output, LESION_COLUMNS, LISTED_LESIONS),
        "files": [(title, Path(evidence[name]).name) for name, title in FILES.items() if name in evidence],
        "derived": DERIVED,
        "rule": RULE,
        "picture_note": PICTURE,
    }


def is_shown_here(name: str) -> bool:
    """Whether a measurement has its place in this section and need not be listed again."""
    sizes = [size for size, _ in SIZES.values()]
    fixed = {"volume_ml", "volume_icv_percent", "count", "volume_low_ml", "volume_high_ml", *SURENESS, *sizes}
    return name in fixed or name.startswith("fazekas_") or name.removesuffix("_ml") in REGIONS


def _key(measured: Mapping[str, Any]) -> Rows:
    low, high = (measured.get(f"volume_{end}_ml") for end in ("low", "high"))
    told = {
        "Volume": field_value("volume_ml", measured.get("volume_ml")),
        "Of the intracranial volume": field_value("volume_icv_percent", measured.get("volume_icv_percent")),
        "Lesions": field_value("count", measured.get("count")),
    }
    if isinstance(low, int | float) and isinstance(high, int | float):
        told["At other thresholds"] = f"{number(low)} to {number(high)} mL"
    return list(told.items())


def _regions(measured: Mapping[str, Any]) -> list[RegionBar]:
    total = measured.get("volume_ml") or 0
    bars = []
    for region, (title, says) in REGIONS.items():
        volume = measured.get(f"{region}_ml")
        if isinstance(volume, int | float):
            share = round(100 * volume / total, 1) if total else 0.0
            bars.append(RegionBar(title, says, field_value("volume_ml", volume), share))
    return bars


def _grade(place: str, measured: Mapping[str, Any]) -> tuple[str, str, str]:
    """Place, grade in words, and the size that it follows from."""
    found = measured[f"fazekas_{place}_derived"]
    name, what = SIZES[place]
    words = GRADES[place][found] if isinstance(found, int) and 0 <= found < len(GRADES[place]) else ""
    return REGIONS[place][0], f"{found}: {words}", f"{what} {field_value(name, measured.get(name))}"
