"""A scan of the average head of the package with balls of blood and a vein in it: nothing of a person, all known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.compute import class_volumes
from brainsift.anatomy.labels import BRAIN, INTRACRANIAL, N_TISSUES, Tissue
from brainsift.anatomy.tissue_stats import tissue_statistics
from brainsift.scans.conform import labels_to_input, to_working_grid
from brainsift.scans.volume import InputGrid, ReadFacts, Volume
from tests.anatomy.synthetic import average_head

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

GRE = {
    Tissue.HEAD: 0.5,
    Tissue.WHITE: 0.8,
    Tissue.CORTEX: 0.88,
    Tissue.VENTRICLES: 1.0,
    Tissue.CSF: 1.0,
    Tissue.DEEP_GREY: 0.75,
    Tissue.HIPPOCAMPUS_AMYGDALA: 0.88,
    Tissue.BRAINSTEM: 0.8,
    Tissue.CEREBELLUM: 0.85,
}
"""Brightness of a T2*-weighted gradient echo."""

T1W = {**GRE, Tissue.CORTEX: 0.55, Tissue.VENTRICLES: 0.15, Tissue.CSF: 0.15, Tissue.DEEP_GREY: 0.65}

PPM = dict.fromkeys(Tissue, 0.0) | {Tissue.WHITE: -0.02, Tissue.CORTEX: 0.01, Tissue.DEEP_GREY: 0.06}
"""Susceptibility."""


@dataclass(frozen=True)
class Ball:
    """Blood: centre in MNI152 mm and diameter in mm, by where the signal is lost."""

    mm: tuple[float, float, float]
    diameter_mm: float


LOBAR = Ball((34.0, -40.0, 38.0), 4.0)
DEEP = Ball((-12.0, -18.0, 8.0), 5.0)
LOW = Ball((10.0, -62.0, -36.0), 4.5)
BALLS = (LOBAR, DEEP, LOW)
"""In the right parietal lobe, the left thalamus, the right cerebellum."""

VEIN = ((-30.0, -34.0, 30.0), (-24.0, 4.0, 44.0), 1.6)
"""From, to in MNI152 mm, and width in mm: in the left white matter."""


@cache
def head() -> tuple[NDArray[np.uint8], Float64]:
    return average_head()


def grid(spacing: Sequence[float] = (0.8, 0.8, 1.6), across: int = 2) -> tuple[tuple[int, int, int], Float64]:
    """Shape and affine of a field of view around the head; slices along the axis `across`."""
    mm = list(spacing[:2])
    mm.insert(across, spacing[2])
    labels, affine = head()
    low = affine[:3, 3]
    shape = tuple(int(n * 2 / one) for n, one in zip(labels.shape, mm, strict=True))
    result = np.diag([*mm, 1.0])
    result[:3, 3] = low - 1 + np.asarray(mm) / 2
    return shape, result  # type: ignore[return-value]


def blank(spacing: Sequence[float] = (0.8, 0.8, 1.6), across: int = 2) -> Volume:
    shape, affine = grid(spacing, across)
    stored = InputGrid(shape, affine, (0, 1, 2), (False,) * 3)
    return Volume(np.zeros(shape, np.float32), affine, stored, ReadFacts("nifti1", "float32", shape, "0" * 64))


def with_data(volume: Volume, data: NDArray[np.floating]) -> Volume:
    return Volume(np.asarray(data, np.float32), volume.affine, volume.input_grid, volume.facts)


def distance(volume: Volume, mm: Sequence[float]) -> Float32:
    """From a place to each voxel centre, mm."""
    index = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in volume.shape), indexing="ij", sparse=True)
    axes = (volume.affine[a, a] * index[a] + volume.affine[a, 3] - mm[a] for a in range(3))
    return np.asarray(np.sqrt(sum(axis**2 for axis in axes)), np.float32)


def distance_from_vein(volume: Volume) -> Float32:
    """From the line of `VEIN` to each voxel centre, mm."""
    start, along = np.asarray(VEIN[0]), np.subtract(VEIN[1], VEIN[0])
    index = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in volume.shape), indexing="ij", sparse=True)
    from_start = [volume.affine[a, a] * index[a] + np.float32(volume.affine[a, 3] - start[a]) for a in range(3)]
    share = sum(np.float32(along[a] / (along @ along)) * from_start[a] for a in range(3))
    share = np.clip(share, 0, 1)
    return np.asarray(np.sqrt(sum((from_start[a] - np.float32(along[a]) * share) ** 2 for a in range(3))), np.float32)


def inside_share(distance_mm: Float32, radius_mm: float, voxel_mm: float) -> Float32:
    """Of each voxel, how much lies within a radius: linear over a voxel."""
    return np.asarray(np.clip(0.5 + (radius_mm - distance_mm) / voxel_mm, 0, 1), np.float32)


def blood(volume: Volume, balls: Sequence[Ball] = BALLS, vein: bool = False) -> Float32:
    """Share of each voxel that is blood."""
    voxel = float(np.prod(volume.spacing)) ** (1 / 3)
    share = np.zeros(volume.shape, np.float32)
    for ball in balls:
        np.maximum(share, inside_share(distance(volume, ball.mm), ball.diameter_mm / 2, voxel), out=share)
    if vein:
        np.maximum(share, inside_share(distance_from_vein(volume), VEIN[2] / 2, voxel), out=share)
    return share


def draw(
    contrast: dict[Tissue, float],
    balls: Sequence[Ball] = BALLS,
    *,
    full: float = -1.0,
    spacing: Sequence[float] = (0.8, 0.8, 1.6),
    across: int = 2,
    vein: bool = False,
    noise: float = 0.02,
) -> Volume:
    """A scan with a brightness for each tissue.

    Parameters
    ----------
    full : what a voxel full of blood adds; -1 in a magnitude takes all signal.
    """
    volume = blank(spacing, across)
    labels, affine = head()
    table = np.zeros(N_TISSUES, np.float32)
    for tissue, value in contrast.items():
        table[tissue] = value
    clean = table[labels_to_input(labels, affine, volume)]
    share = blood(volume, balls, vein)
    rng = np.random.default_rng(7)
    if full < 0:
        values = clean * (1 + full * share) + rng.normal(0, noise, volume.shape)
        return with_data(volume, np.abs(values))
    mask = np.isin(labels_to_input(labels, affine, volume), BRAIN)
    return with_data(volume, (clean + full * share + rng.normal(0, noise, volume.shape)) * mask)


def gre(balls: Sequence[Ball] = BALLS, **how: object) -> Volume:
    return draw(GRE, balls, **how)  # type: ignore[arg-type]


def qsm(balls: Sequence[Ball] = BALLS, **how: object) -> Volume:
    return draw(PPM, balls, full=0.6, **how)  # type: ignore[arg-type]


def anatomy_of(volume: Volume) -> Anatomy:
    """The true anatomy of a drawn scan, as the pass would give it."""
    image, affine = to_working_grid(volume)
    source, source_affine = head()
    like = Volume(image, affine, volume.input_grid, volume.facts)
    labels = labels_to_input(source, source_affine, like)
    volumes = class_volumes(labels, affine)
    return Anatomy(
        labels=labels,
        affine=affine,
        image=image,
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
        tissue=tissue_statistics(labels, image),
    )
