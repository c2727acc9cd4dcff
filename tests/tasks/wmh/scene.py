"""Balls of lesion in the average head of the package: nothing of a person, and every volume known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy, TissueStats
from brainsift.anatomy.compute import class_volumes
from brainsift.anatomy.labels import BRAIN, INTRACRANIAL, Tissue
from brainsift.scans.volume import InputGrid, ReadFacts, Volume
from brainsift.tasks.wmh.native import to_native
from brainsift.tasks.wmh.task import Measured, measure
from tests.anatomy.synthetic import average_head

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

Ball = tuple[tuple[float, float, float], float]
"""Centre in MNI152 mm, radius in mm."""

BALLS: tuple[Ball, ...] = (
    ((26.0, 20.0, 24.0), 7.0),
    ((-28.0, -30.0, 30.0), 6.0),
    ((30.0, -40.0, 38.0), 5.0),
    ((-24.0, 30.0, 20.0), 8.0),
    ((22.0, -10.0, 40.0), 4.0),
    ((0.0, -28.0, -30.0), 5.0),
)
EDGE_MM = 0.6
"""Width of the logistic edge of a ball."""

BOX_SHAPE = (96, 108, 100)
BOX_ORIGIN_MM = (-48.0, -56.0, -44.0)


def box_affine() -> Float64:
    affine = np.eye(4)
    affine[:3, 3] = BOX_ORIGIN_MM
    return affine


def truth_ml(balls: Sequence[Ball] = BALLS) -> float:
    """Volume of the balls, which do not meet."""
    return float(sum(4 / 3 * np.pi * radius**3 for _, radius in balls) / 1000)


def probability(
    balls: Sequence[Ball] = BALLS, shape: tuple[int, int, int] = BOX_SHAPE, affine: Float64 | None = None
) -> Float32:
    """Analytic map: 0.5 on the surface of a ball, falling off as a logistic function of the distance."""
    affine = box_affine() if affine is None else affine
    found = np.zeros(shape, np.float32)
    i, j, k = np.ogrid[: shape[0], : shape[1], : shape[2]]
    x, y, z = (affine[a, 0] * i + affine[a, 1] * j + affine[a, 2] * k + affine[a, 3] for a in range(3))
    for (cx, cy, cz), radius in balls:
        depth = radius - np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2)
        np.maximum(found, (0.5 * (1 + np.tanh(0.5 * depth / EDGE_MM))).astype(np.float32), out=found)
    return found


@cache
def anatomy() -> Anatomy:
    """The average head, labels at 2 mm, placed where it is."""
    labels, affine = average_head()
    volumes = class_volumes(labels, affine)
    return Anatomy(
        labels=labels,
        affine=affine,
        image=labels.astype(np.float32),
        brain=np.isin(labels, BRAIN),
        volumes_ml=volumes,
        brain_ml=sum(volumes[t.name.lower()] for t in BRAIN),
        icv_ml=sum(volumes[t.name.lower()] for t in INTRACRANIAL),
        outside_fov=0.0,
        to_mni=np.eye(4),
        mni_residual_mm=1.0,
        confidence=0.9,
        has_brain=True,
        model_id="truth",
        model_sha256="0" * 64,
        tissue={"white": TissueStats(9999, 850.0, 20.0), "cortex": TissueStats(9999, 600.0, 20.0)},
    )


def volume(shape: tuple[int, int, int] = BOX_SHAPE, affine: Float64 | None = None, **grid: object) -> Volume:
    """A scan without any content on a grid, stored as it is."""
    affine = box_affine() if affine is None else affine
    stored = InputGrid(**{"shape": shape, "affine": affine, "axes": (0, 1, 2), "flips": (False,) * 3, **grid})  # type: ignore[arg-type]
    return Volume(np.zeros(shape, np.float32), affine, stored, ReadFacts("nifti1", "int16", shape, "0" * 64))


def covering(spacing: Sequence[float], degrees: float = 0.0, shift: float = 0.0) -> Volume:
    """An empty scan of other voxels around the same place, turned about an oblique axis."""
    shape = tuple(int(np.ceil(1.1 * n / mm)) for n, mm in zip(BOX_SHAPE, spacing, strict=True))
    axis = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    angle = np.radians(degrees)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    centre = np.asarray(BOX_ORIGIN_MM) + (np.asarray(BOX_SHAPE) - 1) / 2 + shift
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return volume(shape, affine)  # type: ignore[arg-type]


def measured(
    balls: Sequence[Ball] = BALLS, scan: Volume | None = None, threshold: float = 0.5, min_mm3: float = 3.0
) -> Measured:
    """All figures of balls in a scan."""
    native = to_native(probability(balls), box_affine(), volume() if scan is None else scan)
    return measure(native, anatomy(), threshold, min_mm3)


def labels_at(mm: Sequence[float]) -> Tissue:
    """What the average head has at a place in MNI152 mm."""
    at = np.rint(np.linalg.inv(anatomy().affine) @ [*mm, 1.0]).astype(int)[:3]
    return Tissue(int(anatomy().labels[tuple(at)]))
