"""Choroid plexus: grey tufts in the lateral ventricles, most of it at the trigone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.lesions.ground import Ground
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]

TRIGONE_MM = (25.0, -38.0, 6.0)
"""Of the right side in MNI152; the glomus, the plexus's largest tuft, lies there."""

SPREAD_MM = (9.0, 16.0, 12.0)

TUFT_MM = 4.0


@dataclass(frozen=True)
class Choroid:
    """One drawn plexus: its volume on both sides together (0 for none) and the seed of its tufts."""

    volume_ml: float
    seed: int


def draw_choroid(rng: np.random.Generator) -> Choroid:
    """Draw a plexus of 0.4 to 3 mL on both sides together; a fifth of heads show none."""
    volume = rng.uniform(0.4, 3.0) if rng.random() < 0.8 else 0.0
    return Choroid(float(volume), int(rng.integers(2**31)))


def choroid_share(ground: Ground, choroid: Choroid) -> Float32:
    """Share of each voxel of the box that is plexus, float32 (X, Y, Z); at most a third of the ventricles."""
    share = np.zeros(ground.shape, np.float32)
    voxels = np.flatnonzero(ground.ventricle)
    wanted = min(round(choroid.volume_ml / ground.voxel_ml), len(voxels) // 3)
    if wanted < 1:
        return share
    at = np.stack(np.unravel_index(voxels, ground.shape), axis=1).astype(np.float64)
    mni = ground.mni(at)
    mni[:, 0] = np.abs(mni[:, 0])
    near = (((mni - TRIGONE_MM) / SPREAD_MM) ** 2).sum(axis=1)
    rng = np.random.default_rng(choroid.seed)
    tufts = spline_field(rng, ground.shape, TUFT_MM / ground.spacing_mm).ravel()[voxels]
    score = tufts - near
    limit = np.partition(score, -wanted)[-wanted]
    share.ravel()[voxels] = np.clip((score - limit) * 2 + 0.5, 0, 1)
    return share
