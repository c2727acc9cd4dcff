"""The result of the one anatomy pass that every task reads."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TissueStats:
    """Robust intensity statistics of one class in the scan's own units.

    Attributes: `n` working-grid voxels used, `median` and `mad` (scaled to a standard deviation, 1.4826 x MAD).
    """

    n: int
    median: float
    mad: float


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Tissue labels on a 2 mm RAS grid and what is derived from them.

    Attributes
    ----------
    labels : uint8 (X, Y, Z), values of `Tissue`.
    affine : 4x4, working voxel → scan mm (RAS+).
    image : float32 (X, Y, Z), the scan on the same grid, in its own units.
    brain : bool (X, Y, Z), largest component of the brain classes with holes filled.
    volumes_ml : class name (lower case `Tissue` name) → mL.
    brain_ml, icv_ml : mL, inside the field of view.
    outside_fov : share [0, 1] of the brain that the field of view cuts off (estimate).
    to_mni : 4x4 scan mm → MNI152 mm, or None where the brain is too incomplete to fit.
    mni_residual_mm : weighted RMS distance of the class centroids after the fit, mm.
    confidence : [0, 1], how far the labels can be trusted.
    has_brain : whether a brain was found at all.
    tissue : class name → intensity statistics.
    filled : float32 (X, Y, Z) in [0, 1], share of each voxel that holds measured values and no padding; None where the
        scan has no padding.
    model_id, model_sha256 : the network that made the labels.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    image: NDArray[np.float32]
    brain: NDArray[np.bool_]
    volumes_ml: dict[str, float]
    brain_ml: float
    icv_ml: float
    outside_fov: float
    to_mni: NDArray[np.float64] | None
    mni_residual_mm: float | None
    confidence: float
    has_brain: bool
    model_id: str
    model_sha256: str
    tissue: dict[str, TissueStats] = field(default_factory=dict)
    filled: NDArray[np.float32] | None = None
