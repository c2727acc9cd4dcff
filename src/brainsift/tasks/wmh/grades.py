"""Fazekas-like grades from the mask: derived, by sizes, and not a radiologist's reading.

Fazekas (1987, AJR 149:351) describes shapes: a pencil line, a halo, irregular and reaching into the depth; points,
beginning confluence, large areas. The CREDOS scale (Noh 2014, J Stroke Cerebrovasc Dis 23:636) puts the same three
steps into millimetres, which can be measured: caps and bands up to 5 mm, up to 10 mm, beyond; deep lesions up to
10 mm, up to 25 mm, beyond. That a streak does not count, and that size is taken in three dimensions, is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainsift.tasks.wmh.lesions import diameter_mm
from brainsift.tasks.wmh.marked import Marked
from brainsift.tasks.wmh.places import Places, Region

PERIVENTRICULAR_STEPS_MM = (5.0, 10.0)
DEEP_STEPS_MM = (10.0, 25.0)

TOUCHING_MM = 3.0
"""A lesion that begins this near to a ventricle is a cap or band of it (Kim 2008: juxtaventricular)."""

STREAK_MM3 = 30.0
"""What reaches further out with less volume is a streak, and no thickness."""


@dataclass(frozen=True)
class Grades:
    """Grades 0 to 3 and the sizes that they follow from.

    Attributes
    ----------
    periventricular, deep : 0 none, 1, 2, 3.
    thickness_mm : how far lesions that begin at the lateral ventricles reach from them.
    diameter_mm : longest axis of the largest lesion beyond the periventricular region, juxtacortical ones included.
    """

    periventricular: int
    deep: int
    thickness_mm: float
    diameter_mm: float


def grade(marked: Marked, places: Places) -> Grades:
    """Grade a scan; 0 and 0 mm where there is nothing."""
    thickness, diameter = periventricular_thickness_mm(marked, places), deep_diameter_mm(marked, places)
    near = bool((places.region == Region.PERIVENTRICULAR).any())
    return Grades(
        periventricular=_step(thickness, PERIVENTRICULAR_STEPS_MM) if near else 0,
        deep=_step(diameter, DEEP_STEPS_MM) if diameter > 0 else 0,
        thickness_mm=thickness,
        diameter_mm=diameter,
    )


def _step(size_mm: float, steps_mm: Sequence[float]) -> int:
    return 1 + sum(size_mm >= step for step in steps_mm)


def periventricular_thickness_mm(marked: Marked, places: Places) -> float:
    """Distance from the lateral ventricles that the thickest cap or band reaches with `STREAK_MM3`; 0 without one."""
    beside = places.region != Region.INFRATENTORIAL
    touching = np.unique(marked.lesion[beside & (places.ventricle_mm <= TOUCHING_MM)])
    streak = max(0, int(np.ceil(STREAK_MM3 / marked.voxel_mm3)) - 1)
    thickest = 0.0
    for number in touching:
        reach = np.sort(places.ventricle_mm[beside & (marked.lesion == number)])[::-1]
        thickest = max(thickest, float(reach[min(streak, len(reach) - 1)]))
    return thickest


def deep_diameter_mm(marked: Marked, places: Places) -> float:
    """Longest axis of the largest connected part of the deep and juxtacortical white matter that is marked; 0 without.

    A lesion that reaches from the ventricles into the depth counts with its deep part; its mere rim, below
    `STREAK_MM3`, does not.
    """
    from scipy.ndimage import label

    deep = np.isin(places.region, (Region.DEEP, Region.JUXTACORTICAL))
    if not deep.any():
        return 0.0
    low = marked.index[deep].min(axis=0)
    at = marked.index[deep] - low
    mask = np.zeros(at.max(axis=0) + 1, np.bool_)
    mask[tuple(at.T)] = True
    pieces = label(mask, structure=np.ones((3, 3, 3)))[0][tuple(at.T)]
    begun = np.unique(marked.lesion[places.region == Region.PERIVENTRICULAR])
    mm, is_rim = marked.mm[deep], np.isin(marked.lesion[deep], begun)
    sizes = [0.0]
    for number in np.unique(pieces):
        here = pieces == number
        if not is_rim[here][0] or np.count_nonzero(here) * marked.voxel_mm3 >= STREAK_MM3:
            sizes.append(diameter_mm(mm[here], marked.voxel_mm3))
    return max(sizes)
