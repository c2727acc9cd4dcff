"""Places of eyes, nose, mouth, ears and brow on a head, found on its surface.

Labels outside the brain name no feature of the face, so the places come from geometry: the head is brought to MNI152,
the tip of the nose is where the middle of the face stands out most from the cheeks, the eyes lie where the face falls
back most above it, and ears are what a ball of their size cannot reach from inside the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.deface.geometry import Float64, Mask, Region

UInt8 = NDArray[np.uint8]

GRID_MM = 2.0
LOW_MM = np.array([-110.0, -130.0, -170.0])
HIGH_MM = np.array([110.0, 140.0, 100.0])
"""Where faces are looked for in MNI152; its brain is larger than most, so faces lie lower in it than in mm."""

USUAL_EYE_MM, EYE_SPREAD_MM = -41.0, 6.0
"""Height of the eyes in MNI152: median and spread of the sixteen training maps."""

ROOT_BELOW_EYE_MM = 6.0
"""The root of the nose, where the middle of the face falls back most, lies below the pupils in lying people's scans."""

TIP_BELOW_EYE_MM = (58.0, 22.0)
USUAL_TIP_BELOW_EYE_MM = 43.0
"""The tip of the nose lies so far below the eyes, from a long face's to a child's."""

RIDGE_MM = 2.0

LEAST_PROMINENCE_MM = 9.0
"""Lips stand out from the cheeks by less, noses by more."""

EYE_X_MM, EYE_HALF_MM, EYE_DEPTH_MM = 33.0, (17.0, 14.0), 24.0
"""Half the distance of the pupils (in MNI152, which is a tenth wider than most), half width and height of an orbit's
opening, and the diameter of a globe."""

NOSE_HALF_MM, NOSE_BELOW_MM, NOSE_DEPTH_MM = 20.0, 11.0, 6.0
"""Half a nose's width, from its tip to the lip, and how far behind the plane of the cheeks it reaches."""

MOUTH_HALF_MM, MOUTH_HEIGHT_MM, MOUTH_DEPTH_MM = 30.0, 34.0, 14.0
"""From the nose down to below the lower lip; lips are 10 to 14 mm thick."""

BROW_HALF_MM, BROW_HEIGHT_MM, BROW_DEPTH_MM = 45.0, 18.0, 8.0
CHEEK_HALF_MM, CHEEK_DEPTH_MM = 65.0, 12.0

EAR_LOW_MM = np.array([62.0, -80.0, -100.0])
EAR_HIGH_MM = np.array([110.0, 5.0, -2.0])
"""Box around one ear, |x|, y, z."""

PAD = 8
"""Voxels; one more than the ball's radius."""

EAR_OPENING_MM = 14.0
"""Radius of the ball that rolls inside the head: a pinna is thinner than that by far, a temple is not."""


@dataclass(frozen=True)
class FaceLevels:
    """Heights of the tip of the nose and of the eyes in MNI152, mm, and whether the tip was found on the surface."""

    tip_z: float
    eye_z: float
    tip_found: bool


def face_regions(head: Mask, to_mni: Float64, eye_z: float | None = None) -> UInt8:
    """`Region` of every voxel of a head, uint8 (X, Y, Z); about 1 s for 256x256x256.

    Parameters
    ----------
    head : bool (X, Y, Z), all that is not air.
    to_mni : 4x4, voxel → mm of MNI152.
    eye_z : height of the globes in MNI152 where it is known; found on the surface if None.
    """
    shape = tuple(int(n) for n in np.ceil((HIGH_MM - LOW_MM) / GRID_MM))
    to_grid = np.diag([1 / GRID_MM] * 3 + [1.0])
    to_grid[:3, 3] = -LOW_MM / GRID_MM
    there = np.linalg.inv(to_grid @ to_mni)
    aligned = ndimage.affine_transform(head.astype(np.uint8), there[:3, :3], there[:3, 3], shape, order=0) > 0
    regions = _draw_regions(_main_piece(aligned), eye_z)
    back = to_grid @ to_mni
    found: UInt8 = ndimage.affine_transform(regions, back[:3, :3], back[:3, 3], head.shape, order=0)
    found[~head] = Region.OTHER
    return found


def _main_piece(head: Mask) -> Mask:
    """The largest piece: hair, headphones and ghosts apart."""
    labels, count = ndimage.label(head)
    if count < 2:
        return head
    piece: Mask = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return piece


def _mm(axis: int, n: int) -> Float64:
    """Coordinates of the grid's points along one axis."""
    at: Float64 = LOW_MM[axis] + GRID_MM * np.arange(n)
    return at


def front_of(head: Mask) -> Float64:
    """Height map of the face from the front: y in mm of the foremost voxel, (X, Z); NaN beside the head."""
    first = head.shape[1] - 1 - np.argmax(head[:, ::-1], axis=1)
    return np.where(head.any(axis=1), LOW_MM[1] + GRID_MM * first, np.nan)


def face_levels(front: Float64, eye_z: float | None = None) -> FaceLevels:
    """Find the heights of nose and eyes on a height map (X, Z)."""
    x, z = _mm(0, front.shape[0]), _mm(2, front.shape[1])
    middle = _mean(front[np.abs(x) <= 5])
    if eye_z is None:
        eye_z = _eyes_from_root(z, middle)
    stands_out = middle - _mean(front[(np.abs(x) >= 20) & (np.abs(x) <= 28)])
    stands_out[(z < eye_z - TIP_BELOW_EYE_MM[0]) | (z > eye_z - TIP_BELOW_EYE_MM[1])] = np.nan
    lowest = float(z[np.isfinite(middle)].min(initial=np.inf))
    if np.isfinite(stands_out).any():
        # Bridges of noses are as high as tips on some faces: the tip is the lowest point of the ridge.
        best = int(np.flatnonzero(stands_out >= np.nanmax(stands_out) - RIDGE_MM)[0])
        # At the lower edge of the field of view the nose still rises: its tip lies below.
        if stands_out[best] >= LEAST_PROMINENCE_MM and z[best] > lowest + 6:
            return FaceLevels(float(z[best]), eye_z, True)
    return FaceLevels(min(eye_z - USUAL_TIP_BELOW_EYE_MM, lowest - 4), eye_z, False)


def _eyes_from_root(z: Float64, middle: Float64) -> float:
    """Height of the eyes, from that of the root of the nose and what is usual, weighed alike."""
    near = np.abs(z - USUAL_EYE_MM) <= 4 * EYE_SPREAD_MM
    if not np.isfinite(middle[near]).all():
        return USUAL_EYE_MM
    root = float(z[near][int(np.argmin(middle[near]))])
    return (root + ROOT_BELOW_EYE_MM + USUAL_EYE_MM) / 2


def _mean(rows: Float64) -> Float64:
    """Mean over rows where all are known, smoothed over 6 mm along z; NaN elsewhere."""
    known = np.isfinite(rows).all(axis=0)
    line = np.where(known, np.nan_to_num(rows).mean(axis=0), 0.0)
    weight = ndimage.uniform_filter1d(known.astype(float), 3, mode="constant")
    smooth = ndimage.uniform_filter1d(line, 3, mode="constant") / np.maximum(weight, 1e-6)
    return np.where(known, smooth, np.nan)


def _draw_regions(head: Mask, known_eye_z: float | None) -> UInt8:
    regions = np.zeros(head.shape, np.uint8)
    front = front_of(head)
    levels = face_levels(front, known_eye_z)
    x, y, z = (_mm(axis, n) for axis, n in enumerate(head.shape))
    side, below = np.abs(x)[:, None], z[None, :]
    eye_z, tip_z = levels.eye_z, levels.tip_z
    lip_z = tip_z - NOSE_BELOW_MM

    def paint(region: Region, window: Mask, depth: Float64 | float) -> None:
        """All within `depth` mm of the front of the face in a window (X, Z)."""
        with np.errstate(invalid="ignore"):
            near = y[None, :, None] >= (front - depth)[:, None]
        regions[near & window[:, None] & head & (regions == 0)] = region

    cheeks = _mean(front[(np.abs(x) >= 20) & (np.abs(x) <= 28)])
    nose_depth = np.where(np.isfinite(cheeks)[None], front - cheeks[None] + NOSE_DEPTH_MM, NOSE_DEPTH_MM)
    half = np.where(below > tip_z + 18, NOSE_HALF_MM - 8, NOSE_HALF_MM)
    paint(Region.NOSE, (side <= half) & (below >= lip_z) & (below <= eye_z + 4), np.maximum(nose_depth, NOSE_DEPTH_MM))
    mouth = (side <= MOUTH_HALF_MM) & (below < lip_z) & (below >= lip_z - MOUTH_HEIGHT_MM)
    paint(Region.MOUTH, mouth, MOUTH_DEPTH_MM)
    for region, sign in ((Region.EYE_LEFT, -1), (Region.EYE_RIGHT, 1)):
        wide = np.abs(x[:, None] - sign * EYE_X_MM) / EYE_HALF_MM[0]
        paint(region, wide**2 + (np.abs(below - eye_z) / EYE_HALF_MM[1]) ** 2 <= 1, EYE_DEPTH_MM)
    brow_low = eye_z + EYE_HALF_MM[1] - 4
    brow = (side <= BROW_HALF_MM) & (below > brow_low) & (below <= brow_low + BROW_HEIGHT_MM)
    paint(Region.BROW, brow, BROW_DEPTH_MM)
    cheeks_here = (side <= CHEEK_HALF_MM) & (below <= brow_low) & (below >= lip_z - MOUTH_HEIGHT_MM)
    paint(Region.CHEEKS, cheeks_here & (np.nan_to_num(front, nan=-999) > 20), CHEEK_DEPTH_MM)
    _paint_ears(regions, head)
    return regions


def _paint_ears(regions: UInt8, head: Mask) -> None:
    """What the ball of `EAR_OPENING_MM` cannot reach inside the head, in the box of each ear."""
    low = np.floor((EAR_LOW_MM - EAR_OPENING_MM * 2 - LOW_MM) / GRID_MM).astype(int)
    high = np.ceil((EAR_HIGH_MM + EAR_OPENING_MM * 2 - LOW_MM) / GRID_MM).astype(int)
    for region, mirror in ((Region.EAR_RIGHT, 1), (Region.EAR_LEFT, -1)):
        there = head[::mirror][max(0, low[0]) : high[0], max(0, low[1]) : high[1], max(0, low[2]) : high[2]]
        filled = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(there, 3), iterations=2))[3:-3, 3:-3, 3:-3]
        # Below the box the head goes on, also where the field of view ends.
        padded = np.pad(filled, ((PAD, 0), (PAD, PAD), (PAD, PAD)), mode="edge")
        padded = np.pad(padded, ((0, PAD), (0, 0), (0, 0)))
        radius = EAR_OPENING_MM / GRID_MM
        core = ndimage.distance_transform_edt(padded) > radius
        opened = ndimage.distance_transform_edt(~core) <= radius
        ear = filled & ~opened[PAD:-PAD, PAD:-PAD, PAD:-PAD]
        x, y, z = (LOW_MM[a] + GRID_MM * (max(0, low[a]) + np.arange(n)) for a, n in enumerate(there.shape))
        in_box = (
            (x >= EAR_LOW_MM[0])[:, None, None]
            & ((y >= EAR_LOW_MM[1]) & (y <= EAR_HIGH_MM[1]))[None, :, None]
            & ((z >= EAR_LOW_MM[2]) & (z <= EAR_HIGH_MM[2]))[None, None]
        )
        ear &= in_box & there
        target = regions[::mirror][max(0, low[0]) : high[0], max(0, low[1]) : high[1], max(0, low[2]) : high[2]]
        target[ear & (target == 0)] = region
