"""Volumes of a scan by region: parts that add up to the total to the last digit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainsift.tasks.wmh.marked import Marked
from brainsift.tasks.wmh.places import Places, Region

DIGITS = 3
"""Of a volume in mL: one cubic millimetre."""


def volume_ml(mm3: float) -> float:
    """Cubic millimetres as mL, to the cubic millimetre."""
    return round(mm3 / 1000.0, DIGITS)


def region_volumes_ml(marked: Marked, places: Places) -> dict[str, float]:
    """Region → mL, and ``total``. Rounded so that the regions add up to the total as it is written."""
    counts = np.bincount(places.region, minlength=len(Region))
    parts = apportion([int(count) * marked.voxel_mm3 for count in counts])
    told = {region.word: parts[region] / 1000.0 for region in Region}
    return {"total": sum(parts) / 1000.0, **told}


def apportion(parts: Sequence[float]) -> list[int]:
    """Round parts to whole numbers whose sum is the rounded sum of the parts (largest remainders first)."""
    whole = [int(np.floor(part)) for part in parts]
    missing = round(sum(parts)) - sum(whole)
    order = sorted(range(len(parts)), key=lambda i: (-(parts[i] - whole[i]), i))
    for i in order[:missing]:
        whole[i] += 1
    return whole
