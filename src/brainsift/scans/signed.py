"""Values on both sides of zero tell a map of susceptibility from a magnitude, which has none below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIGNED_SHARE = 0.15
"""Of the voxels that are not 0: filters leave a few per cent below zero in a magnitude, a map of susceptibility has a
third to a half there."""

SAMPLED = 100_000


def negative_share(data: NDArray[np.floating]) -> float:
    """Share of the voxels other than 0, (X, Y, Z), that lie below; of a sample, some milliseconds."""
    step = max(1, int((data.size / SAMPLED) ** (1 / data.ndim)))
    sample = data[(slice(None, None, step),) * data.ndim]
    told = sample[sample != 0]
    return float((told < 0).mean()) if told.size else 0.0
