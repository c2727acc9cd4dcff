"""Landmarks for the fit to MNI152: per tissue class, the centre of mass of each of its eight octants.

The octants meet in the class's own centre of mass, so their centres move with any shift and stretch of the brain:
together they carry the first and second moments that fix an affine, and a class that is cut or mislabelled on one
side spoils only that side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import BRAIN, Tissue

Float64 = NDArray[np.float64]

CLASSES: tuple[Tissue, ...] = BRAIN
"""Extracerebral fluid is left out: skull-stripped scans have none."""

N_OCTANTS = 8

MAX_POINTS = 6000
"""Points kept of a class. About 750 in an octant of 20 mm place its centre within 0.3 mm, well under the scatter over
people."""


@dataclass(frozen=True, eq=False)
class TissueCloud:
    """Points with a class and a mass.

    Attributes
    ----------
    points : (N, 3) mm.
    classes : (N,) position in `CLASSES`.
    mass : (N,) mm³.
    """

    points: Float64
    classes: NDArray[np.intp]
    mass: Float64

    def class_mass(self) -> Float64:
        """Mass of each class, (len(CLASSES),) mm³."""
        return weighted_count(self.classes, self.mass, len(CLASSES))

    def class_centres(self) -> Float64:
        """Centre of mass of each class, (len(CLASSES), 3) mm; NaN where the class is empty."""
        return _centres(self.points, self.classes, self.mass, len(CLASSES))

    def thinned(self, max_points: int) -> TissueCloud:
        """At most `max_points` of each class, drawn at equal steps of its mass, so that they are of equal mass."""
        kept, mass = [], []
        for number in range(len(CLASSES)):
            index = np.flatnonzero(self.classes == number)
            n = min(len(index), max_points)
            sums = np.cumsum(self.mass[index])
            kept.append(index[np.searchsorted(sums, (np.arange(n) + 0.5) / max(n, 1) * sums[-1:])])
            mass.append(np.full(n, self.mass[index].sum() / max(n, 1)))
        thin = self.select(np.concatenate(kept))
        return TissueCloud(thin.points, thin.classes, np.concatenate(mass))

    def select(self, keep: NDArray[np.bool_ | np.intp]) -> TissueCloud:
        """The cloud of the points where `keep` (N,) is true, or of those numbers."""
        return TissueCloud(self.points[keep], self.classes[keep], self.mass[keep])


def cloud_from_labels(labels: NDArray[np.uint8], affine: Float64, max_points: int = MAX_POINTS) -> TissueCloud:
    """Brain voxels of a label grid (X, Y, Z) as a cloud in the space of `affine` (mm), large classes thinned out
    evenly."""
    voxel_mm3 = float(abs(np.linalg.det(affine[:3, :3])))
    flat = labels.reshape(-1)
    found = [np.flatnonzero(flat == tissue) for tissue in CLASSES]
    kept = [index[:: max(1, len(index) // max_points)] for index in found]
    mass = [np.full(len(k), voxel_mm3 * len(f) / max(1, len(k))) for f, k in zip(found, kept, strict=True)]
    index = np.stack(np.unravel_index(np.concatenate(kept), labels.shape), axis=1)
    classes = np.repeat(np.arange(len(CLASSES)), [len(k) for k in kept])
    return TissueCloud(index @ affine[:3, :3].T + affine[:3, 3], classes, np.concatenate(mass))


def octant_landmarks(cloud: TissueCloud, to_frame: Float64) -> tuple[Float64, Float64]:
    """Centres and masses of the octants of every class, the octants being aligned with the axes of a frame.

    Parameters
    ----------
    cloud : in any space, mm.
    to_frame : 4x4 from that space to the frame.

    Returns
    -------
    centres : (len(CLASSES) * 8, 3) mm in the space of the cloud, NaN where empty.
    masses : (len(CLASSES) * 8,) mm³.
    """
    frame = cloud.points @ to_frame[:3, :3].T + to_frame[:3, 3]
    origin = _centres(frame, cloud.classes, cloud.mass, len(CLASSES))
    above = frame > origin[cloud.classes]
    keys = cloud.classes * N_OCTANTS + above @ np.array([1, 2, 4])
    n = len(CLASSES) * N_OCTANTS
    return _centres(cloud.points, keys, cloud.mass, n), weighted_count(keys, cloud.mass, n)


def weighted_count(keys: NDArray[np.intp], weights: Float64, n: int) -> Float64:
    """Sum of the weights of each key, (n,) float64."""
    counts: Float64 = np.bincount(keys, weights, n).astype(np.float64)
    return counts


def _centres(points: Float64, keys: NDArray[np.intp], mass: Float64, n: int) -> Float64:
    total = np.bincount(keys, mass, n)
    sums = np.stack([np.bincount(keys, mass * points[:, axis], n) for axis in range(3)], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centres: Float64 = sums / total[:, None]
    return centres
