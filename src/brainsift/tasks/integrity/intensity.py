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

FEW_VALUES = 16
"""Up to here different values are counted exactly; a mask has to be told from an image with one bright voxel."""

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

MAX_FLAT_KURTOSIS = 2.0
"""Kurtosis of wrapped phase: 1.8 for a uniform distribution; brains in standardised values have 2.2 or more."""

MIN_WRAPS, WRAP_SHARE = 3e-4, 0.8
"""Share of neighbours that are apart by most of the whole range: phase wraps, and no magnitude does unless it is
clipped (0 in 30 real scans, 0.0016 in a phase image)."""

MAX_LOPSIDED, MIN_AT_ENDS = 1e-3, 0.02
"""Phase reaches equally far to both sides of 0; stored without a sign, a fiftieth at least of its values lie in the
lowest and in the highest tenth of its range."""

MIN_TAIL_RATIO = 5.0
MAX_LEAN = 0.3
"""Susceptibility and difference maps have a peak at zero and long tails to both sides: the 1-99 % range over the
quartile range (normal: 3.4), and how far the median lies from the middle of that range (symmetric: 0)."""


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
    wraps : whether it is wrapped phase, of either or of one sign.
    """

    kind: str
    distinct_values: int
    clipped_share: float
    equal_neighbours: float
    negative_share: float
    wraps: bool = False


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
    kind, wraps = "image", False
    if distinct <= MAX_MASK_VALUES:
        kind = "mask"
    elif distinct <= MAX_LABEL_VALUES and equal >= MIN_EQUAL_NEIGHBOURS:
        kind = "label_map"
    else:
        wraps = clipped < MIN_CLIPPED_SHARE and fills_its_range(sample, low, high) and wrap_share(data) >= MIN_WRAPS
        if wraps or is_signed_map(sample, masked=bool(np.mean(data == 0) > PADDING_SHARE)):
            kind = "parameter_map"
    return Intensity(kind, distinct, clipped, equal, negative, wraps)


def count_distinct(data: Float32) -> int:
    """Number of different values: exact up to `FEW_VALUES`, else that of a regular sample."""
    flat = data.ravel(order="K")  # scans come in any memory order; a copy of 10^8 voxels costs more than all the rest
    in_sample = len(np.unique(flat[:: max(1, flat.size // MAX_SAMPLES) | 1]))
    if in_sample > FEW_VALUES or flat.size <= MAX_SAMPLES:
        return in_sample
    rest, count = flat[flat != 0], int((flat == 0).any())  # few voxels of a mask may lie between those of the sample
    while rest.size and count <= FEW_VALUES:
        rest, count = rest[rest != rest[0]], count + 1
    return max(in_sample, count)


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


def fills_its_range(sample: Float32, low: float, high: float) -> bool:
    """Whether values reach equally far to both sides of 0, or lie at both ends of their range."""
    size = high - low
    if abs(low + high) <= MAX_LOPSIDED * size:
        return True
    ends = np.mean(sample < low + 0.1 * size), np.mean(sample > high - 0.1 * size)
    return bool(min(ends) >= MIN_AT_ENDS)


def wrap_share(data: Float32) -> float:
    """Share of voxel pairs along the first two axes that are apart by most of the range of all values."""
    step = max(1, data.size // (4 * MAX_SAMPLES))
    slices = data[:, :, ::step]
    jump = WRAP_SHARE * float(slices.max() - slices.min())
    far = sum(int((np.abs(np.diff(slices, axis=axis)) > jump).sum()) for axis in (0, 1))
    return far / max(1, 2 * slices.size)


def is_signed_map(sample: Float32, masked: bool) -> bool:
    """Whether non-zero values look like phase, susceptibility or a difference: of both signs, around the middle.

    Parameters
    ----------
    sample : (N,) non-zero values.
    masked : whether a good part of the scan is exactly 0. A brain in standardised values then looks much like a masked
        phase image, which is told by its flat histogram.
    """
    if len(sample) < 100 or min(np.mean(sample < 0), np.mean(sample > 0)) < MIN_SIGN_SHARE:
        return False
    low, lower, median, upper, high = (float(q) for q in np.percentile(sample, [1, 25, 50, 75, 99]))
    lean = abs(high + low - 2 * median) / (high - low)
    if (high - low) >= MIN_TAIL_RATIO * (upper - lower) and lean <= MAX_LEAN:
        return True
    if masked:
        centred = sample - sample.mean()
        return bool(np.mean(centred**4) <= MAX_FLAT_KURTOSIS * np.mean(centred**2) ** 2)
    return CENTRAL_MEDIAN[0] < (median - low) / (high - low) < CENTRAL_MEDIAN[1]


def _signal_sample(data: Float32) -> Float32:
    flat = data.ravel(order="K")
    sample = flat[:: max(1, flat.size // MAX_SAMPLES) | 1]
    signal: Float32 = sample[sample != 0]
    return signal
