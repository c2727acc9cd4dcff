"""Affine from a scan to MNI152 by weighted least squares on tissue moments: milliseconds, no image registration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.fov import FieldOfView
from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.mni_reference import MniReference
from brainsift.anatomy.moments import CLASSES, N_OCTANTS, TissueCloud, octant_landmarks

Float64 = NDArray[np.float64]

CENTRAL = tuple(
    CLASSES.index(tissue)
    for tissue in (
        Tissue.VENTRICLES,
        Tissue.DEEP_GREY,
        Tissue.HIPPOCAMPUS_AMYGDALA,
        Tissue.BRAINSTEM,
        Tissue.CEREBELLUM,
    )
)
"""Classes near the middle of the head, the last to be cut: they place the first guess."""

MIN_CENTRAL_CLASSES = 2
MIN_CENTRAL_MASS_SHARE = 0.1
"""A central class counts as seen when this share of its expected volume is there. With one class alone, rotation is a
guess."""

MAX_ITERATIONS = 12
CONVERGED_MM = 0.2
"""The octants are aligned with the current fit, so it is repeated until the corners of the brain rest: mostly four
rounds."""

CORNERS_MM: Float64 = np.array([[x, y, z] for x in (-70.0, 70.0) for y in (-105.0, 73.0) for z in (-65.0, 80.0)])
"""Corners of the box around the MNI152 brain."""

RIDGE_MM = 3.0
"""Strength of the pull of the stretch towards the average head: nothing on a whole brain (spread 35 mm), steady on a
thin slab."""

MAX_RESIDUAL_MM = 12.0
"""A worse fit than this places nothing."""

MASS_RATIO_LIMIT = 3.0
"""Octants with less than 1/3 or more than 3 times the expected volume are mislabelled or strangely cut; they do not
count."""


@dataclass(frozen=True, eq=False)
class MniFit:
    """Result of `fit_affine`.

    Attributes
    ----------
    affine : 4x4, scan mm → MNI152 mm.
    residual_mm : weighted RMS distance of the class centres after the fit.
    landmark_residual_mm : (len(CLASSES) * 8,) distance of every octant centre, NaN where it was not used.
    """

    affine: Float64
    residual_mm: float
    landmark_residual_mm: Float64


def fit_affine(cloud: TissueCloud, fov: FieldOfView | None, reference: MniReference) -> MniFit | None:
    """Fit the affine in closed form, a few rounds of it, comparing only what the field of view could see.

    Parameters
    ----------
    cloud : brain voxels of the scan, mm.
    fov : what the scan saw; ``None`` for all of space.
    reference : the average brain.

    Returns
    -------
    the fit, or ``None`` where too little of the middle of the brain is there.
    """
    affine = _first_guess(cloud, reference)
    if affine is None:
        return None
    prior = np.diag(reference.mean_scale) @ _rotation(affine[:3, :3])
    average = reference.thinned
    whole = octant_landmarks(average, np.eye(4))
    for _ in range(MAX_ITERATIONS):
        seen = visible_part(average, affine, fov)
        source, source_mass = octant_landmarks(cloud, affine)
        target, target_mass = whole if seen is average else octant_landmarks(seen, np.eye(4))
        weight = _weights(source_mass, target_mass, whole[1], affine, reference)
        if np.count_nonzero(weight) < N_OCTANTS:
            return None
        before, affine = affine, _weighted_affine(source, target, weight, prior)
        prior = np.diag(reference.mean_scale) @ _rotation(affine[:3, :3])
        if _corner_motion(before, affine) < CONVERGED_MM:
            break
    used = weight > 0
    distance = np.linalg.norm(_move(affine, source) - target, axis=1)
    return MniFit(affine, _class_residual(cloud, seen, affine, weight), np.where(used, distance, np.nan))


def visible_part(cloud: TissueCloud, to_mni: Float64, fov: FieldOfView | None) -> TissueCloud:
    """What of the reference `cloud` (MNI mm) lies inside the scan's field of view under `to_mni`."""
    if fov is None:
        return cloud
    to_scan = _inverse(to_mni)
    if fov.holds(_move(to_scan, CORNERS_MM)).all():
        return cloud
    return cloud.select(fov.holds(_move(to_scan, cloud.points)))


def _move(affine: Float64, points: Float64) -> Float64:
    moved: Float64 = points @ affine[:3, :3].T + affine[:3, 3]
    return moved


def _inverse(affine: Float64) -> Float64:
    return np.asarray(np.linalg.inv(affine), dtype=np.float64)


def _corner_motion(before: Float64, after: Float64) -> float:
    """Largest way in MNI mm that a corner of the brain makes between two fits."""
    corners = _move(_inverse(before), CORNERS_MM)
    return float(np.linalg.norm(_move(after, corners) - CORNERS_MM, axis=1).max())


def _first_guess(cloud: TissueCloud, reference: MniReference) -> Float64 | None:
    """Rigid fit of the central class centres with the average stretch; the header already says left from right."""
    mass, expected = cloud.class_mass() / 1000.0, np.exp(reference.log_volume_mean)
    seen = [c for c in CENTRAL if mass[c] > MIN_CENTRAL_MASS_SHARE * expected[c]]
    if len(seen) < MIN_CENTRAL_CLASSES:
        return None
    source, target = cloud.class_centres()[seen], reference.cloud.class_centres()[seen]
    weight = np.clip(mass[seen] / expected[seen], 0.0, 1.0)
    source_mean, target_mean = np.average(source, 0, weight), np.average(target, 0, weight)
    stretched = (source - source_mean) * reference.mean_scale
    rotation = np.eye(3)
    if len(seen) > MIN_CENTRAL_CLASSES:
        u, _, vt = np.linalg.svd((stretched * weight[:, None]).T @ (target - target_mean) + 1e-6 * np.eye(3))
        rotation = (u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt).T
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag(reference.mean_scale)
    affine[:3, 3] = target_mean - affine[:3, :3] @ source_mean
    return affine


def _rotation(linear: Float64) -> Float64:
    """Nearest rotation to a 3x3 matrix (polar decomposition)."""
    u, _, vt = np.linalg.svd(linear)
    rotation: Float64 = u @ vt
    return rotation


def _weights(
    source_mass: Float64, target_mass: Float64, whole_mass: Float64, affine: Float64, reference: MniReference
) -> Float64:
    """Precision of each octant centre, scaled by how much of the octant was seen; 0 where masses do not agree."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = source_mass * abs(np.linalg.det(affine[:3, :3])) / target_mass
    agree = (ratio > 1 / MASS_RATIO_LIMIT) & (ratio < MASS_RATIO_LIMIT)
    weight: Float64 = np.where(agree, target_mass / whole_mass / reference.landmark_sd_mm**2, 0.0)
    return weight


def _weighted_affine(source: Float64, target: Float64, weight: Float64, prior: Float64) -> Float64:
    """Ridge-regularised weighted least squares, landmarks (N, 3) → (N, 3), pulled towards the linear part `prior`."""
    used = weight > 0
    source, target, weight = source[used], target[used], weight[used] / weight.sum()
    source_mean, target_mean = weight @ source, weight @ target
    x, y = source - source_mean, target - target_mean
    ridge = RIDGE_MM**2 * np.eye(3)
    normal = (x * weight[:, None]).T @ x + ridge
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.solve(normal, (x * weight[:, None]).T @ y + ridge @ prior.T).T
    affine[:3, 3] = target_mean - affine[:3, :3] @ source_mean
    return affine


def _class_residual(cloud: TissueCloud, seen: TissueCloud, affine: Float64, weight: Float64) -> float:
    class_weight = weight.reshape(len(CLASSES), N_OCTANTS).sum(axis=1)
    used = class_weight > 0
    moved = _move(affine, cloud.class_centres()[used])
    squared = ((moved - seen.class_centres()[used]) ** 2).sum(axis=1)
    return float(np.sqrt(np.average(squared, weights=class_weight[used])))
