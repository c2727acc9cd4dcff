"""Quickshear's geometry with the brain of the anatomy pass, and the same idea for the ears.

Quickshear (Schimke and Hale 2011, HealthSec) lays a plane against the convex hull of the brain seen from the side, a
buffer away, and clears what lies before it. Ears lie beside the brain and stay; here two more planes lie against the
hull of the brain seen from the front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.volume import Volume

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

FACE_BUFFER_MM = 4.0
"""Between the labelled brain and the plane: fluid and meninges. The 10 voxels that were published are counted from a
looser mask, and leave the upper part of the eyes."""

EAR_BUFFER_MM = 6.0
"""Skull and scalp beside the temporal lobes are 10 mm thick, and an ear stands out from them."""

FACE_DIRECTION = (1.0, -1.1)
"""From the brain to the middle of the face, seen from the side: forward and down (MNI152)."""

EAR_DIRECTION = (1.0, -0.4)
"""From the brain to an ear, seen from the front: outwards and a little down."""

FACE_BEHIND_MM = -10.0
EAR_SPAN_MM = (-70.0, 12.0)
"""y in MNI152 from which on the face's plane may clear, and between which the ears' planes may."""

EAR_TOP_MM = 0.0
"""z in MNI152 up to which they may: above, the head is all skull."""


@dataclass(frozen=True)
class Plane:
    """Clears all points p with normal · p > offset; mm of MNI152, with `normal` of length 1."""

    normal: tuple[float, float, float]
    offset: float

    def beyond(self, points: Float64) -> Bool:
        """Which points (N, 3) lie beyond."""
        cleared: Bool = points @ np.asarray(self.normal) > self.offset
        return cleared


def face_plane(brain_mni: Float64, buffer_mm: float = FACE_BUFFER_MM) -> Plane:
    """The plane that clears the face, `buffer_mm` from the brain's points (N, 3), mm of MNI152."""
    across, up = _support(brain_mni[:, 1:], FACE_DIRECTION)
    return _plane(brain_mni, np.array([0.0, across, up]), buffer_mm)


def ear_planes(brain_mni: Float64, buffer_mm: float = EAR_BUFFER_MM) -> tuple[Plane, Plane]:
    """The planes that clear left and right ear."""
    planes = []
    for side in (-1.0, 1.0):
        across, up = _support(brain_mni[:, [0, 2]] * (side, 1.0), EAR_DIRECTION)
        planes.append(_plane(brain_mni, np.array([side * across, 0.0, up]), buffer_mm))
    return planes[0], planes[1]


def _support(points: Float64, direction: tuple[float, float]) -> Float64:
    """Normal of the edge of the convex hull of points (N, 2) that faces `direction` most.

    An edge of the hull, as in quickshear, and not simply a line across `direction`: it lies against the brain in two
    places, and so takes more of the face.
    """
    from scipy.spatial import ConvexHull

    hull = ConvexHull(points)
    normals = np.asarray(hull.equations[:, :2])
    aim = np.asarray(direction) / np.linalg.norm(direction)
    best: Float64 = normals[int(np.argmax(normals @ aim))]
    return best


def _plane(brain_mni: Float64, normal: Float64, buffer_mm: float) -> Plane:
    x, y, z = (float(v) for v in normal)
    return Plane((x, y, z), float((brain_mni @ normal).max()) + buffer_mm)


def shear_mask(volume: Volume, anatomy: Anatomy, buffer_mm: float = FACE_BUFFER_MM, *, ears: bool = True) -> Bool:
    """Voxels of a scan that are to be cleared, bool (X, Y, Z).

    Parameters
    ----------
    buffer_mm : between brain and the face's plane, in mm of the scan.
    ears : clear the ears too.

    Raises
    ------
    ValueError
        if the brain of the scan was not found or not placed: then nothing says where its face is.
    """
    if not anatomy.has_brain or anatomy.to_mni is None or not anatomy.brain.any():
        raise ValueError("the brain was not found, so that nothing says where the face is")
    to_mni = anatomy.to_mni
    stretch = float(abs(np.linalg.det(to_mni[:3, :3])) ** (1 / 3))
    brain = _move(to_mni @ anatomy.affine, np.argwhere(anatomy.brain).astype(np.float64))
    face = face_plane(brain, buffer_mm * stretch)
    sides = ear_planes(brain, EAR_BUFFER_MM * stretch) if ears else ()
    return _cleared(volume, to_mni @ volume.affine, face, sides)


def _cleared(volume: Volume, to_place: Float64, face: Plane, sides: Sequence[Plane]) -> Bool:
    """Voxels beyond the planes, slice by slice: all conditions are linear in the voxel's index."""
    i, j = np.arange(volume.shape[0])[:, None], np.arange(volume.shape[1])[None]
    rows = [np.asarray(plane.normal) @ to_place[:3] for plane in (face, *sides)] + [to_place[1], to_place[2]]
    starts = [row[0] * i + row[1] * j + row[3] for row in rows]
    cleared = np.zeros(volume.shape, np.bool_)
    for k in range(volume.shape[2]):
        *along, y, z = (start + row[2] * k for start, row in zip(starts, rows, strict=True))
        taken = (along[0] > face.offset) & (y > FACE_BEHIND_MM)
        beside = (y > EAR_SPAN_MM[0]) & (y < EAR_SPAN_MM[1]) & (z < EAR_TOP_MM)
        for value, plane in zip(along[1:], sides, strict=True):
            taken |= (value > plane.offset) & beside
        cleared[:, :, k] = taken
    return cleared


def _move(affine: Float64, points: Float64) -> Float64:
    moved: Float64 = points @ affine[:3, :3].T + affine[:3, 3]
    return moved
