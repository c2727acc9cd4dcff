"""Cut along a plane below the brain, as quickshear does (Schimke & Hale 2011, HealthSec '11).

The brain mask is projected along left and right; the plane holds the longest side of its convex hull that looks
forward and down, moved out by a buffer. Everything beyond goes, ears only where they lie beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from brainsift.simulate.deface.geometry import Float64, HeadGeometry, Mask
from brainsift.simulate.deface.misfit import Misfit, draw_misfit
from brainsift.simulate.deface.zone import ears_mask

USUAL_BUFFER_MM = 10.0
"""Quickshear's own."""


@dataclass(frozen=True)
class Plane:
    """A plane cut.

    Attributes
    ----------
    buffer_mm : from the hull of the brain mask outwards.
    tilt_deg : nod of the plane about its middle; 0 is quickshear's.
    mask_grown_mm : how much larger (+) or smaller (-) than the brain the mask was.
    mask_lost_mm : front part of the brain that the mask missed.
    ears : whether the ears were cut off too, as a second step.
    ears_deeper_mm : their cut, towards the brain (+).
    misfit : of the ears' cut.
    """

    buffer_mm: float = USUAL_BUFFER_MM
    tilt_deg: float = 0.0
    mask_grown_mm: float = 0.0
    mask_lost_mm: float = 0.0
    ears: bool = False
    ears_deeper_mm: float = 0.0
    misfit: Misfit = field(default_factory=Misfit)


def draw_plane(rng: np.random.Generator, aim: str) -> Plane:
    """Draw a plane cut that should do what `aim` says on a usual head."""
    ears_deeper, misfit = float(rng.uniform(-1, 4)), draw_misfit(rng)
    grown, tilt = float(rng.normal(0, 1.0)), float(rng.normal(0, 1.5))
    if aim == "excessive":
        lost = float(rng.uniform(8, 40)) if rng.random() < 0.35 else 0.0
        buffer = USUAL_BUFFER_MM if lost else float(rng.uniform(-35, -4))
        return Plane(buffer, tilt, grown, lost, bool(rng.random() < 0.7), ears_deeper, misfit)
    if aim == "insufficient":
        no_ears = rng.random() < 0.45
        buffer = float(rng.uniform(0, 12)) if no_ears else float(rng.uniform(16, 70))
        return Plane(buffer, tilt, grown, 0.0, not no_ears and bool(rng.random() < 0.6), ears_deeper, misfit)
    return Plane(float(rng.uniform(0, 9)), tilt, grown, 0.0, True, ears_deeper, misfit)


def reach_of_plane(plane: Plane, geometry: HeadGeometry) -> Mask:
    """Voxels beyond the plane, bool (X, Y, Z); 0.1 s for 192x224x192."""
    normal, level = supporting_line(geometry, plane.mask_lost_mm)
    middle = level * normal
    turn = np.deg2rad(plane.tilt_deg)
    normal = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ normal
    level = float(normal @ middle) + plane.buffer_mm + plane.mask_grown_mm
    y, z = (np.arange(n) * s for n, s in zip(geometry.shape[1:], geometry.spacing_mm[1:], strict=True))
    beyond = normal[0] * y[:, None] + normal[1] * z[None] > level
    mask = np.broadcast_to(beyond, geometry.shape).copy()
    if plane.ears:
        mask |= ears_mask(*geometry.mni(plane.misfit.matrix()), plane.ears_deeper_mm)
    return mask


def supporting_line(geometry: HeadGeometry, mask_lost_mm: float = 0.0) -> tuple[Float64, float]:
    """The side of the brain's sagittal outline that faces the face: its outward normal (y, z) and level in mm.

    Raises
    ------
    ValueError
        if the brain mask is empty or flat.
    """
    outline: Mask = np.asarray(geometry.brain.any(axis=0))
    rows = np.flatnonzero(outline.any(axis=1))
    if rows.size < 2:
        raise ValueError("a plane cut needs a brain mask, but it is empty; give one that covers the brain")
    lost = round(mask_lost_mm / geometry.spacing_mm[1])
    if lost:
        outline = outline.copy()
        outline[max(int(rows[0]) + 2, int(rows[-1]) + 1 - lost) :] = False
    edge = outline & ~ndimage.binary_erosion(outline)
    points = np.argwhere(edge) * np.asarray(geometry.spacing_mm[1:])
    hull = ConvexHull(points)
    ends = points[hull.simplices]
    length = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    normals, levels = hull.equations[:, :2], -hull.equations[:, 2]
    faces = (normals[:, 0] > 0.1) & (normals[:, 1] < -0.1)
    if not faces.any():
        raise ValueError("the brain mask has no side that looks forward and down; is it a brain?")
    best = int(np.argmax(np.where(faces, length, 0)))
    return np.asarray(normals[best]), float(levels[best])
