"""Lacunes: small old infarcts, holes of fluid with or without a rim of scar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from brainsift.simulate.lesions.blob import blob_field
from brainsift.simulate.lesions.ground import BRAINSTEM, DEEP_GREY, Ground
from brainsift.simulate.lesions.plan import Blob
from brainsift.simulate.lesions.where import DEEP_FROM_CORTEX_MM

Float32 = NDArray[np.float32]

DIAMETER_MM = (3.0, 15.0)
"""By the definition of STRIVE (Wardlaw 2013, Lancet Neurol 12:822)."""

RIM_SHARE = 0.6
RIM_MM = (0.8, 2.0)


@dataclass(frozen=True)
class Lacune:
    """One hole; `rim_mm` is the thickness of the scar around it, 0 for none."""

    hole: Blob
    rim_mm: float


def draw_lacunes(rng: np.random.Generator, ground: Ground, number: int) -> list[Lacune]:
    """Draw so many lacunes in deep grey matter, deep white matter and pons."""
    allowed = np.isin(ground.labels, DEEP_GREY) | (ground.white & (ground.cortex_mm > DEEP_FROM_CORTEX_MM))
    allowed |= np.isin(ground.labels, BRAINSTEM) & (ground.outside_mm > DEEP_FROM_CORTEX_MM)
    places = np.argwhere(allowed)
    lacunes = []
    for _ in range(number if len(places) else 0):
        radius = np.exp(rng.uniform(*np.log(DIAMETER_MM))) / 2
        stretch = np.exp(rng.normal(0, 0.2, 3))
        radii = radius * stretch / np.cbrt(np.prod(stretch))
        at = places[int(rng.integers(len(places)))] + rng.uniform(-0.5, 0.5, 3)
        a, b, c = ((float(r[0]), float(r[1]), float(r[2])) for r in Rotation.random(random_state=rng).as_matrix())
        hole = Blob(
            kind=None,
            at=(float(at[0]), float(at[1]), float(at[2])),
            axes=(a, b, c),
            radii_mm=(float(radii[0]), float(radii[1]), float(radii[2])),
            roughness=float(rng.uniform(0.05, 0.25)),
            edge_mm=1.0,
            shape=None,
            seed=int(rng.integers(2**31)),
        )
        lacunes.append(Lacune(hole, float(rng.uniform(*RIM_MM)) if rng.random() < RIM_SHARE else 0.0))
    return lacunes


def lacune_shares(ground: Ground, lacunes: list[Lacune]) -> tuple[Float32, Float32]:
    """Shares of each voxel of the box that are hole and rim, two float32 (X, Y, Z), inside the parenchyma."""
    hole, rim = np.zeros(ground.shape, np.float32), np.zeros(ground.shape, np.float32)
    parenchyma = ground.white | ground.infratentorial | np.isin(ground.labels, DEEP_GREY)
    for lacune in lacunes:
        box, inside = blob_field(ground, lacune.hole, None)
        here = parenchyma[box]
        filled = np.clip(inside / ground.spacing_mm + 0.5, 0, 1) * here
        hole[box] = np.maximum(hole[box], filled)
        if lacune.rim_mm:
            grown = np.clip((inside + lacune.rim_mm) / ground.spacing_mm + 0.5, 0, 1) * here
            rim[box] = np.maximum(rim[box], grown - filled)
    return hole, np.minimum(rim, 1 - hole)
