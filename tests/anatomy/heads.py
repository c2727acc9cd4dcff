"""Heads made of ellipsoids, with a nose, for tests of pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import BRAIN, Tissue

SHAPE = (80, 100, 90)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
GREY = {Tissue.HEAD: 60, Tissue.WHITE: 180, Tissue.CORTEX: 120, Tissue.VENTRICLES: 30, Tissue.CSF: 25}


def ball(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
    """An ellipsoid as a mask of `SHAPE`."""
    grid = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    return sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True)) <= 1


def head(seed: int = 0, **changes: Any) -> Anatomy:
    """A head whose brain has a cube of ventricle, 10 voxels wide, in its middle."""
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[ball((40, 46, 50), (36, 44, 38))] = Tissue.HEAD
    labels[ball((40, 46, 52), (29, 36, 29))] = Tissue.CSF
    labels[ball((40, 46, 52), (27, 34, 27))] = Tissue.CORTEX
    labels[ball((40, 46, 52), (23, 30, 23))] = Tissue.WHITE
    labels[35:45, 41:51, 47:57] = Tissue.VENTRICLES
    lookup = np.array([GREY.get(tissue, 0) for tissue in Tissue], dtype=np.float32)
    noise = np.random.default_rng(seed).normal(0, 4, SHAPE)
    values: dict[str, Any] = {
        "labels": labels,
        "affine": AFFINE,
        "image": (lookup[labels] + noise).astype(np.float32),
        "brain": np.isin(labels, BRAIN),
        "volumes_ml": {},
        "brain_ml": 1000.0,
        "icv_ml": 1300.0,
        "outside_fov": 0.0,
        "to_mni": np.eye(4),
        "mni_residual_mm": 2.0,
        "confidence": 0.9,
        "has_brain": True,
        "model_id": "none",
        "model_sha256": "0" * 64,
    }
    return Anatomy(**{**values, **changes})
