"""Where the head ends and air begins, in a scan of any contrast and with any noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

MIN_LEVEL = 0.08
"""Of the brain's grey value: skin that a coil hardly reaches is brighter, and air without noise is darker."""

MAX_LEVEL = 0.45
"""Where noise asks for more, the scan is too noisy for an exact surface, and the inside of the head must stay whole."""

NOISE_SDS = 5.0
"""Above the median of the air: of 10^6 voxels of air, none should pass."""

MAD_TO_SD = 1.4826

AIR_ZONE_SHARE = 1.25
"""An ellipsoid as much larger than a head: what lies outside of it, above the ears, is air."""

MIN_AIR_VOXELS = 300

SMALLEST_PIECE = 60
"""Voxels, 0.5 mL: a nose that was cut off and left in the air is larger, specks of noise are smaller."""

FALLBACK_PERCENTILE = 90.0
"""Without a brain, this percentile of what is not padding stands for its grey value."""


def tissue_level(image: Float32, brain: Bool, blank: Bool) -> float:
    """Grey value of the brain, the unit in which surfaces are looked for; never 0.

    Parameters
    ----------
    image : (X, Y, Z), air at 0.
    brain, blank : bool (X, Y, Z): brain, and voxels that hold nothing but padding.
    """
    known = image[brain & ~blank]
    if known.size:
        level = float(np.median(known))
    else:
        rest = image[~blank]
        level = float(np.percentile(rest, FALLBACK_PERCENTILE)) if rest.size else 0.0
    return level if level > 0 else 1.0


def surface_threshold(image: Float32, seen: Bool) -> float:
    """Grey value from which a voxel is no air.

    Parameters
    ----------
    image : float32 on the standard grid, the brain about 1.
    seen : bool, voxels that the scan measured: inside its field of view and no padding.
    """
    air = image[seen & _air_zone(image.shape)]
    if air.size < MIN_AIR_VOXELS:
        return MIN_LEVEL
    middle = float(np.median(air))
    spread = MAD_TO_SD * float(np.median(np.abs(air - np.float32(middle))))
    return float(np.clip(middle + NOISE_SDS * spread, MIN_LEVEL, MAX_LEVEL))


def _air_zone(shape: tuple[int, ...]) -> Bool:
    """Upper corners of the standard grid, where no head reaches."""
    axes = [np.linspace(-1, 1, n, dtype=np.float32) ** 2 for n in shape]
    outside: Bool = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None] > AIR_ZONE_SHARE
    outside[:, :, : shape[2] // 2] = False
    return outside


def head_surface(image: Float32, seen: Bool, threshold: float) -> Bool:
    """What belongs to the head, bool: bright enough, and no speck.

    Holes stay, because rays that look for the surface stop before them.
    """
    from scipy.ndimage import label

    tissue: Bool = (image > threshold) & seen
    pieces, count = label(tissue)
    if count <= 1:
        return tissue
    sizes = np.bincount(pieces.reshape(-1))
    keep = sizes >= SMALLEST_PIECE
    keep[0] = False
    kept: Bool = keep[pieces]
    return kept
