"""How far a bleed reaches on the scan's own grid: half of the way from what lies around it to its darkest voxel.

What is measured is the signal that is lost, blooming included, which a rater marks too; it grows with echo time and
field strength and is no size of the blood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.nearness import voxels_at
from brainsift.scans.volume import Volume
from brainsift.tasks.microbleeds.polarity import Reading

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

REACH_MM = 8.0
"""Around the centre: a bleed of more than 10 mm is no microbleed any more (Greenberg 2009, Lancet Neurol 8:165)."""

SHELL_MM = 4.0
"""From here to `REACH_MM` lies what the bleed is compared with."""

CORE_MM = 1.5
"""The darkest voxel is sought this near to the centre, and in the nearest voxel at least."""

HALF, SHAPE = 0.5, 0.3
"""Of the way to the darkest voxel: for the extent, and for the shape, since a vein thinner than a voxel is as dark as
where it meets the middle of one in a part of its voxels only."""

SHELL_STEP_MM, SLACK = 0.5, 1.5
"""Thickness of the shells of which the mean is taken, and how much further a bleed that is no ball may reach."""


@dataclass(frozen=True, eq=False)
class Extent:
    """The voxels of one bleed.

    Attributes
    ----------
    index : int (N, 3), voxels of `Volume.data`, at least one.
    diameter_mm : of the ball with their volume.
    elongation : of all that is as dark and connected, a vessel that the bleed sits on included: longest axis of the
        ellipsoid with the same moments over its second axis, 1 for a ball.
    long_voxels : length of that longest axis in voxels along it.
    contrast : of the darkest voxel against what lies around, as a share of it (magnitude) or in ppm.
    """

    index: NDArray[np.intp]
    diameter_mm: float
    elongation: float
    long_voxels: float
    contrast: float


def extent_of(volume: Volume, anatomy: Anatomy, reading: Reading, mm: Float64) -> Extent:
    """Extent of a bleed around a place in scan mm; one voxel where nothing stands out.

    Parameters
    ----------
    mm : (3,), within the scan.
    """
    box, away = _around(volume, mm)
    signal = reading.upright(volume.data[box])
    loss = signal if reading.modality == "qsm" else -signal
    core = away <= max(CORE_MM, float(away.min()) + 1e-3)
    top = np.unravel_index(np.argmax(np.where(core, loss, -np.inf)), loss.shape)
    around = _level_around(volume, anatomy, box, away, loss)
    peak = float(loss[top])
    whole = own = np.array([top])
    if peak > around:
        half = around + HALF * (peak - around)
        seed = (int(top[0]), int(top[1]), int(top[2]))
        reached = away[top] + _radius(loss, away, half, float(volume.spacing.max()))
        long = around + SHAPE * (peak - around)
        whole = _piece((loss >= long) & (away <= REACH_MM), seed, corners=True)
        own = _piece((loss >= half) & (away <= reached), seed)
    start = np.array([side.start for side in box])
    elongation, long_voxels = _shape(whole, volume)
    voxel_mm3 = float(abs(np.linalg.det(volume.affine[:3, :3])))
    scale = 1.0 if reading.modality == "qsm" else max(-around, 1e-6)
    return Extent(own + start, ball_mm(len(own) * voxel_mm3), elongation, long_voxels, (peak - around) / scale)


def _radius(loss: Float32, away: Float32, half: float, step_mm: float) -> float:
    """How far a bleed reaches at the most: to where the mean of a shell has fallen to half, and half as far again.

    Bone and fluid beside a bleed of the cortex are as dark as it is; what is connected with it would be all of them.
    """
    shell = np.minimum((away / np.float32(SHELL_STEP_MM)).astype(np.intp), int(REACH_MM / SHELL_STEP_MM))
    count, total = np.bincount(shell.reshape(-1)), np.bincount(shell.reshape(-1), loss.reshape(-1))
    filled = np.flatnonzero(count)
    below = filled[total[filled] / count[filled] < half]
    first = float(below[0]) * SHELL_STEP_MM if len(below) else REACH_MM
    return min(REACH_MM, SLACK * first + step_mm / 2)


def ball_mm(volume_mm3: float) -> float:
    """Diameter of the ball of a volume."""
    return float((6 * volume_mm3 / np.pi) ** (1 / 3))


def _around(volume: Volume, mm: Float64) -> tuple[tuple[slice, slice, slice], Float32]:
    """The box of voxels within `REACH_MM` of a place, and their distances from it."""
    to_voxel = np.linalg.inv(volume.affine)
    at = to_voxel[:3, :3] @ mm + to_voxel[:3, 3]
    # The box of the ball in voxels, sheared grids included: the norms of the rows of the inverse.
    reach = REACH_MM * np.sqrt((to_voxel[:3, :3] ** 2).sum(axis=1))
    low = np.clip(np.floor(at - reach), 0, np.asarray(volume.shape) - 1).astype(int)
    high = np.clip(np.ceil(at + reach), low, np.asarray(volume.shape) - 1).astype(int)
    x, y, z = (slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    index = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in (x, y, z)), indexing="ij"), axis=-1)
    away = (index - at) @ volume.affine[:3, :3].T
    return (x, y, z), np.sqrt((away**2).sum(axis=-1)).astype(np.float32)


def _level_around(
    volume: Volume, anatomy: Anatomy, box: tuple[slice, slice, slice], away: Float32, loss: Float32
) -> float:
    """Median of the brain around a bleed; of all around it where no brain is."""
    shell = (away >= SHELL_MM) & (away <= REACH_MM)
    if not shell.any():
        return float(np.median(loss))
    index = np.argwhere(shell) + [side.start for side in box]
    mm = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    brain = anatomy.brain[voxels_at(anatomy.brain.shape, anatomy.affine, mm)]
    values = loss[shell]
    return float(np.median(values[brain] if brain.any() else values))


def _piece(inside: NDArray[np.bool_], seed: tuple[int, int, int], *, corners: bool = False) -> NDArray[np.intp]:
    """Voxels (N, 3) that are connected with the seed by faces, or by corners too: a thin oblique vein hangs together
    by corners alone."""
    from scipy.ndimage import label

    pieces, _ = label(inside, structure=np.ones((3, 3, 3)) if corners else None)
    return np.argwhere(pieces == pieces[seed]) if pieces[seed] else np.array([seed])


def _shape(piece: NDArray[np.intp], volume: Volume) -> tuple[float, float]:
    """Elongation, and the length of the longest axis in voxels."""
    matrix = volume.affine[:3, :3]
    spread = np.cov(piece.T, bias=True) if len(piece) > 1 else np.zeros((3, 3))
    values, vectors = np.linalg.eigh(matrix @ (spread + np.eye(3) / 12) @ matrix.T)
    step = float(np.abs(np.linalg.inv(matrix) @ vectors[:, 2]).max())
    return float(np.sqrt(values[2] / values[1])), float(np.sqrt(12 * values[2]) * step)
