"""Intensity normalisation shared by training and inference: percentiles of the foreground to [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

LOW_PERCENTILE = 0.5
HIGH_PERCENTILE = 99.5
"""Vessels, fat and spikes lie above 99.5 %; the clip keeps them from squeezing the brain into a few grey levels."""

FOREGROUND_FRACTION = 0.05
"""Voxels below this fraction of the robust range are air: the noise floor of a magnitude image stays under it."""

PADDING_SHARE = 0.10
"""A single value held by this share of the voxels is padding (masked or zero-filled), not tissue."""

MAX_SAMPLES = 200_000
"""Percentiles are taken on about this many voxels: their sampling error is far below one grey level."""


def sample_voxels(image: NDArray[np.floating]) -> Float32:
    """Every n-th voxel of `image`, about `MAX_SAMPLES` of them, in a fixed pattern (no random numbers)."""
    flat = np.ascontiguousarray(image, dtype=np.float32).reshape(-1)
    step = max(1, flat.size // MAX_SAMPLES)
    return flat[:: step | 1]  # an odd step does not lock to even row lengths


def padding_value(sample: Float32) -> float | None:
    """The value of masked or zero-filled voxels, if the scan has them."""
    if sample.size == 0:
        return None
    candidates = (0.0, float(sample.min()))
    shares = [float(np.mean(sample == value)) for value in candidates]
    best = int(np.argmax(shares))
    return candidates[best] if shares[best] > PADDING_SHARE else None


def foreground_range(sample: Float32, padding: float | None) -> tuple[float, float]:
    """Low and high percentile of the foreground, in the scan's own units."""
    tissue = sample if padding is None else sample[sample != padding]
    if tissue.size == 0:
        return 0.0, 0.0
    low, high = np.percentile(tissue, [LOW_PERCENTILE, HIGH_PERCENTILE])
    foreground = tissue[tissue > low + FOREGROUND_FRACTION * (high - low)]
    if foreground.size == 0:
        return float(low), float(high)
    low, high = np.percentile(foreground, [LOW_PERCENTILE, HIGH_PERCENTILE])
    return float(low), float(high)


def normalise(image: NDArray[np.floating]) -> Float32:
    """Map the 0.5-99.5 percentile range of the foreground to [0, 1] and clip.

    Masked voxels (one exact value that covers a good part of the image) become 0 whatever that value is, so a
    skull-stripped z-score image gets a black background like any other. A constant image gives zeros.

    Parameters
    ----------
    image : (X, Y, Z), finite, any unit.

    Returns
    -------
    float32 (X, Y, Z) in [0, 1].
    """
    sample = sample_voxels(image)
    padding = padding_value(sample)
    low, high = foreground_range(sample, padding)
    scaled = np.asarray(image, dtype=np.float32)
    if not high > low:
        return np.zeros_like(scaled)
    result: Float32 = np.clip((scaled - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    if padding is not None:
        result[scaled == np.float32(padding)] = 0.0
    return result
