"""Where in the brain a bleed lies: group of the MARS scale, side, and how deep in or far from brain and ventricles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.nearness import border_distance, values_at, voxels_at
from brainsift.anatomy.regions import MAX_DISTANCE_MM, Region, region_map
from brainsift.tasks.microbleeds.mars import MarsAtlas

Float64 = NDArray[np.float64]

MIDLINE_MM = 2.0
"""Nearer to the middle of MNI152 neither side is told: the fit errs by as much."""

GROUPS = (Region.LOBAR, Region.DEEP, Region.INFRATENTORIAL)


@dataclass(frozen=True)
class Place:
    """Of one bleed.

    Attributes
    ----------
    group : ``lobar``, ``deep`` or ``infratentorial`` (Gregoire 2009, Neurology 73:1759), of the nearest brain.
    side : ``left``, ``right`` or ``midline``.
    mars : finer region, where there is an atlas and the brain is placed in MNI152.
    mni_mm : in MNI152, or None.
    outside_mm : how far outside of the brain, below 0 inside.
    ventricle_mm : how far from the ventricles, below 0 inside.
    """

    group: str
    side: str
    mars: str | None
    mni_mm: tuple[float, float, float] | None
    outside_mm: float
    ventricle_mm: float


def find_places(mm: Float64, anatomy: Anatomy, atlas: MarsAtlas | None = None) -> list[Place]:
    """Places of bleeds, (N, 3) in scan mm."""
    if not len(mm):
        return []
    outside = values_at(border_distance(anatomy, anatomy.brain), anatomy.affine, mm, MAX_DISTANCE_MM)
    depth = values_at(_depth(anatomy.brain, anatomy), anatomy.affine, mm, 0.0)
    ventricles = anatomy.labels == Tissue.VENTRICLES
    away = values_at(border_distance(anatomy, ventricles), anatomy.affine, mm, MAX_DISTANCE_MM)
    within = values_at(_depth(ventricles, anatomy), anatomy.affine, mm, 0.0)
    groups = _groups(mm, anatomy)
    mni = None if anatomy.to_mni is None else mm @ anatomy.to_mni[:3, :3].T + anatomy.to_mni[:3, 3]
    middle = _middle_mm(anatomy) if mni is None else 0.0
    places = []
    for number in range(len(mm)):
        told = Region(int(groups[number])).name.lower()
        at = None if mni is None else (float(mni[number, 0]), float(mni[number, 1]), float(mni[number, 2]))
        place = Place(
            group=told,
            side=_side((mm[number, 0] - middle) if at is None else at[0]),
            mars=None if atlas is None or at is None else atlas.name_at(at, told),
            mni_mm=at,
            outside_mm=_signed(outside[number], depth[number]),
            ventricle_mm=_signed(away[number], within[number]),
        )
        places.append(place)
    return places


def _signed(away: float, within: float) -> float:
    """Distance from a border, negative inside."""
    return float(-within if within > 0 else max(away, 0.0))


def _depth(structure: NDArray[np.bool_], anatomy: Anatomy) -> NDArray[np.float32]:
    """How deep each voxel lies inside a structure, 0 outside; the border lies between voxel centres."""
    inverse = border_distance(anatomy, ~structure)
    return np.where(structure, np.maximum(inverse, 0), np.float32(0))


def _groups(mm: Float64, anatomy: Anatomy) -> NDArray[np.uint8]:
    """Region of the nearest brain of each place."""
    from scipy.ndimage import distance_transform_edt

    regions = region_map(anatomy)
    at = voxels_at(regions.shape, anatomy.affine, mm)
    if (regions[at] == Region.OUTSIDE).any():
        nearest = distance_transform_edt(regions == Region.OUTSIDE, return_distances=False, return_indices=True)
        at = tuple(axis[at] for axis in nearest)
    return np.asarray(regions[at], np.uint8)


def _side(x_mm: float) -> str:
    """RAS+: the right is positive."""
    if abs(x_mm) < MIDLINE_MM:
        return "midline"
    return "right" if x_mm > 0 else "left"


def _middle_mm(anatomy: Anatomy) -> float:
    """Middle of the brain from left to right in scan mm, where nothing better is known."""
    inside = np.argwhere(anatomy.brain)
    return float((inside @ anatomy.affine[:3, :3].T + anatomy.affine[:3, 3])[:, 0].mean())
