"""One grey scale for all kinds of scan: brain tissue is `TISSUE`, bleeds are brighter, up to 1.

In magnitude images a bleed is told by the share of the signal that is lost, whatever the units and the coil; in maps of
susceptibility by ppm. Both ends come from the anatomy pass, because percentiles of the whole image would move with
scalp, skull stripping and the field of view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import is_any
from brainsift.anatomy.grids import pool
from brainsift.anatomy.labels import Tissue

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

TISSUE = 1 / 3
"""Grey value of tissue, and of all that is not looked at: what is brighter in the scan (fluid) keeps a third of the
scale, what is darker two thirds."""

BRIGHTEST = 1.5
"""Times tissue: the end of the scale for fluid."""

FULL_PPM = 0.5
"""Above tissue: the other end in maps of susceptibility. A bleed of 0.4 to 1.2 ppm fills voxels of its size in part
only."""

PARENCHYMA = (Tissue.WHITE, Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.BRAINSTEM, Tissue.CEREBELLUM)

TISSUE_RANGE = (0.6, 1.5)
"""Of the median: what counts for the brightness field. Bleeds, veins and drop-out lie below, fluid above."""

SMOOTHING_MM = 20.0
"""Standard deviation of the kernel that makes the field: wider than any bleed, narrower than a coil's field."""

FIELD_LIMITS = (0.3, 3.0)
HOLD = 0.02
"""Weight with which the field is held at the median where there is no tissue near."""

ROUNDS = 2


@dataclass(frozen=True, eq=False)
class TissueField:
    """Brightness of tissue everywhere: float32 (X, Y, Z) in the scan's units on a coarse grid, affine 4x4."""

    values: Float32
    affine: Float64


def tissue_field(anatomy: Anatomy, image: Float32) -> TissueField | None:
    """How bright tissue is from place to place, on a 4 mm grid; None where there is none of positive brightness.

    Parameters
    ----------
    image : float32 (X, Y, Z) on the grid of the anatomy, dark bleeds; 0 and below are no signal.
    """
    from scipy.ndimage import gaussian_filter, zoom

    even = [(0, n % 2) for n in image.shape]
    values = np.pad(image, even)
    tissue = np.pad(is_any(anatomy.labels, PARENCHYMA), even) & (values > 0)
    if not tissue.any():
        return None
    median = float(np.median(values[tissue]))
    affine = anatomy.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = anatomy.affine[:3, :3] @ np.full(3, 0.5) + anatomy.affine[:3, 3]
    sigma = SMOOTHING_MM / np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    share = values / np.float32(median)
    field = np.ones([n // 2 for n in share.shape], np.float32)
    for _ in range(ROUNDS):
        left = share / zoom(field, 2, order=0)
        counts = tissue & (left > TISSUE_RANGE[0]) & (left < TISSUE_RANGE[1])
        below = gaussian_filter(pool(counts).astype(np.float32), sigma, mode="constant", truncate=3)
        above = pool(np.where(counts, left, np.float32(0)))
        above = gaussian_filter(above, sigma, mode="constant", truncate=3)
        hold = np.float32(HOLD) * max(float(below.max()), 1e-6)
        field = np.clip(field * (above + hold) / (below + hold), *FIELD_LIMITS).astype(np.float32)
    return TissueField(field * np.float32(median), affine)


def from_magnitude(values: Float32, tissue: Float32) -> Float32:
    """Magnitude and the brightness of tissue there, both float32 (X, Y, Z) → grey values in [0, 1]."""
    return np.asarray(np.clip(1 - values / (np.float32(BRIGHTEST) * tissue), 0, 1), np.float32)


def from_susceptibility(ppm: Float32) -> Float32:
    """Susceptibility above that of tissue, float32 (X, Y, Z) → grey values in [0, 1]."""
    return np.asarray(np.clip(np.float32(TISSUE) + ppm * np.float32((1 - TISSUE) / FULL_PPM), 0, 1), np.float32)
