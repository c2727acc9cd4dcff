"""How far a count can be relied upon: is the scan like those that were learnt from, and how much was left open.

Limits are ours and set in advance; no labels have confirmed them. The flags refer a finding (`brainsift.decide`).
"""

from __future__ import annotations

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.volume import Volume
from brainsift.tasks.microbleeds.candidates import MAX_CANDIDATES
from brainsift.tasks.microbleeds.find import MIN_CONFIDENCE, Found

MAX_CUT = 0.02
"""Share of the brain outside the field of view, as in the integrity task: bleeds there are not counted."""

FINEST_MM, COARSEST_IN_PLANE_MM, COARSEST_MM = 0.3, 1.3, 5.5
"""Voxel sizes that training showed: 0.5 to 1 mm in plane, 1 to 5 mm across. In larger voxels a bleed of 3 mm loses less
signal than noise takes."""


def flags(found: Found, volume: Volume, anatomy: Anatomy) -> tuple[str, ...]:
    """Reasons to have a person look."""
    finest, middle, coarsest = sorted(float(mm) for mm in volume.spacing)
    told = {
        "brain_cut": anatomy.outside_fov > MAX_CUT,
        "low_confidence": anatomy.confidence < MIN_CONFIDENCE,
        "not_placed": anatomy.to_mni is None,
        "outside_training_range": finest < FINEST_MM or middle > COARSEST_IN_PLANE_MM or coarsest > COARSEST_MM,
        "too_many_candidates": len(found.looked) >= MAX_CANDIDATES,
        "possible_bleeds": bool(found.certain("possible")),
    }
    return (*found.prepared.reading.flags, *(flag for flag, holds in told.items() if holds))
