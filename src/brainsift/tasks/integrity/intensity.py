"""What the voxel values say: an image, a mask, a label map, a parameter map, or nothing; and whether they are
clipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.normalise import PADDING_SHARE

Float32 = NDArray[np.float32]

MAX_SAMPLES = 500_000
"""Voxels looked at for shares and histograms."""

MAX_MASK_VALUES = 3
"""Background, foreground and perhaps a third value, such as "uncertain"."""

MAX_LABEL_VALUES = 1500
"""The largest FreeSurfer atlas has fewer labels in one brain than this."""

MIN_EQUAL_NEIGHBOURS = 0.5
"""Label maps at 1-2 mm have 0.85 or more of equal neighbours; images have noise: at most 0.15 in 30 real 8-bit and
16-bit scans."""

MIN_CLIPPED_SHARE = 0.005
"""Of the signal voxels at the very largest value: unclipped scans have one or a few such voxels, under 0.0005."""

MIN_SIGN_SHARE = 0.1
"""Magnitude images are positive; both signs above this share mean phase, a parameter map or standardised values."""

CENTRAL_MEDIAN = (0.25, 0.75)
"""Where the median of a phase image lies within its 1-99 % range. Standardised heads have air at the low end."""

MIN_HEAVY_TAILS = 4.0
MAX_SKEW = 1.0
"""Kurtosis and skewness of a susceptibility or difference map: a symmetric peak at zero with long tails (normal: 3
and 0)."""


@dataclass(frozen=True)
class Intensity:
    """What the values look like.

    Attributes
    ----------
    kind : ``image``, ``mask``, ``label_map``, ``parameter_map``, ``constant`` or ``empty``.
    distinct_values : number of different values; of a regular sample where there are many.
    clipped_share : share of the signal voxels that hold exactly the largest value.
    equal_neighbours : share of adjacent signal voxels with the same value.
    negative_share : share of negative voxels among those that are not 0.
    """

    kind: str
    distinct_values: int
    clipped_share: float
    equal_neighbours: float
    negative_share: float


def inspect_intensity(data: Float32) -> Intensity:
    """Look at the values of a scan (X, Y, Z)."""
    low, high = float(data.min()), float(data.max())
    if low == high:
        return Intensity("empty" if low == 0 else "constant", 1, 0.0, 1.0, float(low < 0))
    distinct = count_distinct(data)
    sample = _signal_sample(data)
    clipped = float(np.mean(sample == np.float32(high))) if len(sample) else 0.0
    equal = equal_neighbour_share(data)
    negative = float(np.mean(sample < 0)) if len(sample) else 0.0
    kind = "image"
    if distinct <= MAX_MASK_VALUES:
        kind = "mask"
    elif distinct <= MAX_LABEL_VALUES and equal >= MIN_EQUAL_NEIGHBOURS:
        kind = "label_map"
    elif is_signed_map(sample):
        kind = "parameter_map"
    return Intensity(kind, distinct, clipped, equal, negative)


def count_distinct(data: Float32) -> int:
    """Number of different values, exact where a sample has few, else that of the sample."""
    flat = data.reshape(-1)
    sample = np.unique(flat[:: max(1, flat.size // MAX_SAMPLES) | 1])
    if len(sample) > MAX_LABEL_VALUES or flat.size <= MAX_SAMPLES:
        return len(sample)
    nonzero = flat[flat != 0]
    seen = sample
    for chunk in np.array_split(nonzero, max(1, nonzero.size // MAX_SAMPLES)):
        seen = np.union1d(seen, chunk)
        if len(seen) > MAX_LABEL_VALUES:
            break
    return len(seen)


def equal_neighbour_share(data: Float32) -> float:
    """Share of voxel pairs along the first two axes, both non-zero, that hold the same value.

    Looked at in every n-th slice of the third axis, which leaves neighbours neighbours.
    """
    step = max(1, data.size // (4 * MAX_SAMPLES))
    slices = data[:, :, ::step]
    equal = pairs = 0
    for first, second in ((slices[1:], slices[:-1]), (slices[:, 1:], slices[:, :-1])):
        signal = (first != 0) & (second != 0)
        pairs += int(signal.sum())
        equal += int((signal & (first == second)).sum())
    return equal / pairs if pairs else 0.0


def is_signed_map(sample: Float32) -> bool:
    """Whether non-zero values look like phase, susceptibility or a difference: of both signs, around the middle."""
    if len(sample) < 100 or min(np.mean(sample < 0), np.mean(sample > 0)) < MIN_SIGN_SHARE:
        return False
    centred = sample - sample.mean()
    deviation = float(centred.std())
    kurtosis = float(np.mean((centred / deviation) ** 4))
    skew = float(np.mean((centred / deviation) ** 3))
    if kurtosis >= MIN_HEAVY_TAILS and abs(skew) <= MAX_SKEW:
        return True
    values, counts = np.unique(sample, return_counts=True)
    if counts.max() > PADDING_SHARE * len(sample):
        return False  # masked with a value other than 0: standardised brain
    low, median, high = np.percentile(values, [1, 50, 99])
    return bool(CENTRAL_MEDIAN[0] < (median - low) / (high - low) < CENTRAL_MEDIAN[1])


def _signal_sample(data: Float32) -> Float32:
    flat = data.reshape(-1)
    sample = flat[:: max(1, flat.size // MAX_SAMPLES) | 1]
    signal: Float32 = sample[sample != 0]
    return signal
