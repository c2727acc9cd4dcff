"""Perivascular spaces: thin tubes of fluid that follow the vessels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.lesions.ground import DEEP_GREY, LENTIFORM, Ground
from brainsift.simulate.lesions.where import radial

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Triple = tuple[float, float, float]

STEP_MM = 0.5
"""Between the points that make a tube."""

REACH_VOXELS = 3
"""Voxels around a point that it may fill in part; tubes are at most 5 mm wide."""

SEMIOVALE_Z_MM = 18.0
"""The centrum semiovale begins at the roof of the lateral ventricles."""

BASAL_Z_MM = (-14.0, 8.0)
"""Lower half of the lentiform nucleus, where the perforating arteries enter."""


@dataclass(frozen=True)
class Tube:
    """One perivascular space.

    Attributes
    ----------
    at : (3,), one end in voxels of the box.
    direction : (3,), unit vector.
    bend : (3,), how far the middle stands off from the straight line, mm.
    length_mm, radius_mm : most are below 3 mm wide (Wardlaw 2013, Lancet Neurol 12:822).
    """

    at: Triple
    direction: Triple
    bend: Triple
    length_mm: float
    radius_mm: float


def draw_tubes(rng: np.random.Generator, ground: Ground, semiovale: int, basal: int) -> list[Tube]:
    """Draw so many perivascular spaces in the centrum semiovale and in the basal ganglia; fewer where there is no
    such place. Those of the centrum run radially, those of the basal ganglia upwards."""
    mni_z = _height(ground)
    centrum = np.argwhere(ground.white & (mni_z > SEMIOVALE_Z_MM) & (ground.ventricle_mm > 3) & (ground.cortex_mm > 1))
    lentiform = np.argwhere(np.isin(ground.labels, LENTIFORM) & (mni_z > BASAL_Z_MM[0]) & (mni_z < BASAL_Z_MM[1]))
    tubes = []
    for _ in range(semiovale if len(centrum) else 0):
        at = centrum[int(rng.integers(len(centrum)))].astype(float)
        along = radial(ground, at) + rng.normal(0, 0.15, 3)
        tubes.append(_tube(rng, at, along, rng.uniform(4, 22), np.exp(rng.normal(np.log(0.5), 0.3))))
    for _ in range(basal if len(lentiform) else 0):
        at = lentiform[int(rng.integers(len(lentiform)))].astype(float)
        along = np.array([0.0, 0.0, 1.0]) + rng.normal(0, 0.25, 3)
        tubes.append(_tube(rng, at, along, rng.uniform(3, 14), np.exp(rng.normal(np.log(0.7), 0.4))))
    return tubes


def tube_share(ground: Ground, tubes: list[Tube]) -> Float32:
    """Share of each voxel of the box that tubes fill, float32 (X, Y, Z); only in white and deep grey matter."""
    share = np.zeros(ground.shape, np.float32)
    for tube in tubes:
        _fill(share, _points(tube, ground.spacing_mm), tube.radius_mm / ground.spacing_mm)
    if tubes:
        share *= ground.white | np.isin(ground.labels, DEEP_GREY)
    return share


def _tube(rng: np.random.Generator, at: Float64, along: Float64, length_mm: float, radius_mm: float) -> Tube:
    along = along / np.linalg.norm(along)
    bend = rng.normal(0, 0.06 * length_mm, 3)
    return Tube(_triple(at), _triple(along), _triple(bend), float(length_mm), float(np.clip(radius_mm, 0.25, 2.5)))


def _triple(values: Float64) -> Triple:
    return (float(values[0]), float(values[1]), float(values[2]))


def _height(ground: Ground) -> Float32:
    """Height of each voxel in MNI152, mm."""
    x, y, z = (np.arange(n, dtype=np.float32) for n in ground.shape)
    row = ground.to_mni[2].astype(np.float32)
    height: Float32 = (row[0] * x[:, None, None] + row[1] * y[None, :, None] + row[2] * z[None, None] + row[3]).astype(
        np.float32
    )
    return height


def _points(tube: Tube, spacing_mm: float) -> Float64:
    """Points along a tube, voxels (n, 3)."""
    t = np.linspace(0, 1, max(2, int(np.ceil(tube.length_mm / STEP_MM))))[:, None]
    arc = 4 * t * (1 - t)
    line = t * tube.length_mm * np.asarray(tube.direction) + arc * np.asarray(tube.bend)
    points: Float64 = np.asarray(tube.at) + line / spacing_mm
    return points


def _fill(share: Float32, points: Float64, radius: float) -> None:
    """Add a tube through `points`: what it fills of a voxel follows from the distance to its axis, voxels."""
    nearest = np.rint(points).astype(int)
    side = np.arange(-REACH_VOXELS, REACH_VOXELS + 1)
    around = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    voxels = (nearest[:, None] + around[None]).reshape(-1, 3)
    distance = np.linalg.norm(voxels - np.repeat(points, len(around), axis=0), axis=1)
    # A tube thinner than a voxel fills the share of its cross section, however far its axis is from the centre.
    filled = np.clip(radius + 0.5 - distance, 0, 1) if radius >= 0.5 else 4 * radius**2 * np.clip(1 - distance, 0, 1)
    inside = ((voxels >= 0) & (voxels < share.shape)).all(axis=1) & (filled > 0)
    x, y, z = voxels[inside].T
    np.maximum.at(share, (x, y, z), filled[inside].astype(np.float32))
