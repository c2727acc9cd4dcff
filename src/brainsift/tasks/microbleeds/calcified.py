"""Places that calcify in healthy adults: there a magnitude image cannot tell calcium from blood, for both take signal.

A map of susceptibility can (calcium is diamagnetic), so none of this is asked of one. A SWI holds the sign as well, in
the phase mask around the spot: where it looks very much like blood, only places that calcify often are asked. Places in
MNI152, with room for an affine that errs by a few millimetres and for how brains differ. On CT of adults the pineal
gland is calcified in 71 %, the choroid plexus in 66 %, the habenula beside the pineal gland in 20 %, the falx in 7 %,
the basal ganglia, on both sides mostly, in 1 % (Daghighi 2007, Folia Morphol 66:115); symmetrical spots in the pallidum
are no microbleeds (Greenberg 2009, Lancet Neurol 8:165).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainsift.tasks.microbleeds.places import Place

PINEAL_MM, PINEAL_REACH_MM = (0.0, -31.0, 2.0), 8.0
PLEXUS_MM, PLEXUS_REACH_MM = (23.0, -40.0, 10.0), 12.0
"""Glomus of the choroid plexus in the trigone; the right one, its mirror image is the left one."""

PLEXUS_TO_VENTRICLE_MM = 6.0
"""And no further from the ventricle. The anatomy pass takes calcified plexus for what lies beside it, and a narrow
trigone is smaller than one of its voxels. Up to 6 mm instead of 3 adds 0.1 % of the brain to the 0.8 % in doubt."""

FALX_X_MM, FALX_ABOVE_MM = 3.0, 25.0
"""Falx above the corpus callosum: how far from the midline, and from which height on. How deep in the brain says
nothing: the fissure is thinner than a voxel of the anatomy pass, which takes a calcified falx for brain. On 96
simulated magnitudes of 48 heads of validation 11 of 16 calcified spots of the midline lie here, and 4 of 294 bleeds."""

PALLIDUM_MM = ((11.0, 27.0), (-16.0, 10.0), (-9.0, 9.0))
"""|x|, y and z between which the pallidum lies."""

MIRRORED_MM = 12.0
"""A spot and the mirror image of the other one are this near to each other at the most."""


TELLING = 0.99
"""Probability of a bleed in a SWI from which on its phase is taken to tell blood from calcium."""


def calcify(places: Sequence[Place], sign_told: Sequence[bool] | None = None) -> NDArray[np.bool_]:
    """(N,) whether each place is one that often calcifies. Where the brain is not placed in MNI152, none is.

    Parameters
    ----------
    sign_told : (N,), whether the image tells that a place is blood: falx and pallidum, which calcify in few, are not
        doubted there; plexus and pineal gland, which do in most, are. None for nowhere.
    """
    told = [False] * len(places) if sign_told is None else sign_told
    seldom = np.array([_in_falx(place) for place in places], np.bool_)
    for first, place in enumerate(places):
        if not seldom[first] and any(_paired(place, other) for i, other in enumerate(places) if i != first):
            seldom[first] = True
    often = np.array([_in_pineal(place) or _in_plexus(place) for place in places], np.bool_)
    result: NDArray[np.bool_] = often | (seldom & ~np.asarray(told, np.bool_))
    return result


def _in_pineal(place: Place) -> bool:
    return place.mni_mm is not None and _apart(place.mni_mm, PINEAL_MM) <= PINEAL_REACH_MM


def _in_plexus(place: Place) -> bool:
    if place.mni_mm is None or place.ventricle_mm > PLEXUS_TO_VENTRICLE_MM:
        return False
    x, y, z = place.mni_mm
    return _apart((abs(x), y, z), PLEXUS_MM) <= PLEXUS_REACH_MM


def _in_falx(place: Place) -> bool:
    return place.mni_mm is not None and abs(place.mni_mm[0]) <= FALX_X_MM and place.mni_mm[2] >= FALX_ABOVE_MM


def _paired(one: Place, other: Place) -> bool:
    """Whether both lie in the pallidum, one on each side, at about the same spot."""
    if one.mni_mm is None or other.mni_mm is None or not (_in_pallidum(one.mni_mm) and _in_pallidum(other.mni_mm)):
        return False
    x, y, z = other.mni_mm
    return one.mni_mm[0] * x < 0 and _apart(one.mni_mm, (-x, y, z)) <= MIRRORED_MM


def _in_pallidum(mni_mm: Sequence[float]) -> bool:
    at = (abs(mni_mm[0]), mni_mm[1], mni_mm[2])
    return all(low <= value <= high for value, (low, high) in zip(at, PALLIDUM_MM, strict=True))


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    return float(np.linalg.norm(np.subtract(one, other)))
