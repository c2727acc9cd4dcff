"""Microbleeds of one scan: how many of what was looked at, where, the picture, the table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainsift.report.listed import first_rows
from brainsift.report.words import field_value

LISTED = 24
"""Rows of the table, as many as the picture shows."""

COLUMNS = {
    "bleed": "Bleed",
    "certainty": "Certainty",
    "region": "Region",
    "side": "Side",
    "diameter_mm": "Diameter (mm)",
    "probability": "Probability",
    "reasons": "Why only possible",
}
"""Columns of the table of bleeds that the page shows → heading."""

FILES = {
    "microbleeds_mask": "numbered mask",
    "microbleeds_table": "table of bleeds",
    "microbleeds_candidates": "all places that were looked at, and why they were dropped",
}
"""Evidence that the page links to."""

GROUPS = ("lobar", "deep", "infratentorial")
"""Regions of the Microbleed Anatomical Rating Scale."""

STEPS = {
    "candidates": "Places that may be bleeds",
    "after_discrimination": "Taken for bleeds by the second network",
    "after_cleanup": "Left after anatomy and shape",
}
"""Measurement → what it counts, in the order of the steps."""

MODALITIES = {"gre": "gradient echo (T2*)", "swi": "SWI", "qsm": "susceptibility map"}

NOTE = (
    "Each bleed in an axial and a coronal window: vermilion circles are definite ones, blue ones possible. R is the "
    "patient's right. All that lies more than 8 mm outside the skull's inside is blanked. Point at the picture to see "
    "it without circles."
)
RULE = (
    "Regions are those of the Microbleed Anatomical Rating Scale (Gregoire 2009). A possible bleed is not counted: the "
    "table says what speaks against it. Diameters hold the blooming, which grows with echo time and field strength."
)

Rows = list[tuple[str, str]]


def microbleeds_view(measured: Mapping[str, Any], evidence: Mapping[str, str], output: Path) -> dict[str, Any]:
    """What the page of a scan shows of its microbleeds.

    Parameters
    ----------
    measured, evidence : of the finding of task `microbleeds`.
    output : the OUTPUT folder, in which the table of bleeds is looked up.
    """
    return {
        "key": [
            ("Microbleeds", field_value("count", measured.get("count"))),
            ("Bin", str(measured.get("count_bin", ""))),
            ("Possible", field_value("count", measured.get("possible_count"))),
            ("Largest", field_value("largest_diameter_mm", measured.get("largest_diameter_mm"))),
            ("Read as", MODALITIES.get(str(measured.get("modality")), "")),
        ],
        "regions": [
            (group.capitalize(), measured[f"{group}_count"], measured.get(f"{group}_possible_count", 0))
            for group in GROUPS
            if f"{group}_count" in measured
        ],
        "steps": [(says, field_value("count", measured[name])) for name, says in STEPS.items() if name in measured],
        "headings": list(COLUMNS.values()),
        "bleeds": first_rows(evidence.get("microbleeds_table"), output, COLUMNS, LISTED),
        "files": [(title, Path(evidence[name]).name) for name, title in FILES.items() if name in evidence],
        "note": NOTE,
        "rule": RULE,
    }


def is_shown_here(name: str) -> bool:
    """Whether a measurement has its place in this section and need not be listed again."""
    fixed = {"count", "count_bin", "possible_count", "largest_diameter_mm", "modality", *STEPS}
    return name in fixed or name.removesuffix("_count").removesuffix("_possible") in GROUPS
