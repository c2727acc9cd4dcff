"""Heads of balls with exactly known brightness and noise, to hold image metrics to closed forms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import BRAIN, Tissue
from brainsift.scans.conform import labels_to_input, resample_linear
from brainsift.scans.volume import InputGrid, ReadFacts, Volume

SHAPE = (64, 72, 64)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
AFFINE[:3, 3] = -63.0, -71.0, -63.0
"""Working grid of 128 x 144 x 128 mm about the origin."""

NATIVE_SHAPE = (128, 144, 128)
NATIVE_AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])
NATIVE_AFFINE[:3, 3] = -63.5, -71.5, -63.5

BALLS_MM = ((Tissue.HEAD, 50.0), (Tissue.CORTEX, 42.0), (Tissue.WHITE, 32.0), (Tissue.VENTRICLES, 14.0))
LEVELS = {Tissue.HEAD: 300.0, Tissue.CORTEX: 600.0, Tissue.WHITE: 1000.0, Tissue.VENTRICLES: 200.0}


def labels() -> NDArray[np.uint8]:
    """Balls in balls, uint8 `SHAPE`."""
    axes = [AFFINE[a, a] * np.arange(n) + AFFINE[a, 3] for a, n in enumerate(SHAPE)]
    radius = np.sqrt(axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2)
    found = np.zeros(SHAPE, dtype=np.uint8)
    for tissue, limit in BALLS_MM:
        found[radius <= limit] = tissue
    return found


def volume_of(data: NDArray[Any], affine: NDArray[np.float64] = NATIVE_AFFINE) -> Volume:
    """A volume as a reader gives it."""
    shape = (data.shape[0], data.shape[1], data.shape[2])
    facts = ReadFacts(format="nifti1", stored_dtype="float32", stored_shape=shape, sha256="0" * 64)
    grid = InputGrid(shape, affine, (0, 1, 2), (False, False, False))
    return Volume(np.asarray(data, dtype=np.float32), affine, grid, facts)


def anatomy_of(volume: Volume, found: NDArray[np.uint8] | None = None, **changes: Any) -> Anatomy:
    """The truth about `volume`."""
    found = labels() if found is None else found
    brain = np.isin(found, BRAIN)
    values: dict[str, Any] = {
        "labels": found,
        "affine": AFFINE,
        "image": np.ascontiguousarray(resample_linear(volume.data, volume.affine, SHAPE, AFFINE)),
        "brain": brain,
        "volumes_ml": {t.name.lower(): 8e-3 * float((found == t).sum()) for t in Tissue if t},
        "brain_ml": 8e-3 * float(brain.sum()),
        "icv_ml": 8e-3 * float(brain.sum()),
        "outside_fov": 0.0,
        "to_mni": None,
        "mni_residual_mm": None,
        "confidence": 0.9,
        "has_brain": bool(brain.any()),
        "model_id": "none",
        "model_sha256": "0" * 64,
    }
    return Anatomy(**{**values, **changes})


def native_labels() -> NDArray[np.uint8]:
    """The balls on the native grid."""
    return labels_to_input(labels(), AFFINE, volume_of(np.zeros(NATIVE_SHAPE)))


def clean_head() -> NDArray[np.float32]:
    """One brightness per tissue, no noise, float32 `NATIVE_SHAPE`."""
    table = np.zeros(len(Tissue), dtype=np.float32)
    for tissue, level in LEVELS.items():
        table[tissue] = level
    return table[native_labels()]


def scan(noise: float = 20.0, seed: int = 0, field: NDArray[Any] | None = None) -> Volume:
    """A head with complex noise of standard deviation `noise`, after a multiplicative field."""
    rng = np.random.default_rng(seed)
    clean = clean_head() if field is None else clean_head() * field
    real = clean + noise * rng.standard_normal(NATIVE_SHAPE, dtype=np.float32)
    return volume_of(np.hypot(real, noise * rng.standard_normal(NATIVE_SHAPE, dtype=np.float32)))


def changed(volume: Volume, data: NDArray[Any]) -> Volume:
    """The same scan with other values."""
    return replace(volume, data=np.asarray(data, dtype=np.float32))
