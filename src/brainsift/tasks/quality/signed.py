"""Values on both sides of zero tell a map of susceptibility from a gradient echo: a magnitude has none below.

The network sees grey values scaled to [0, 1] and cannot know where zero lies.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from brainsift.tasks.quality.network import Answer

MAGNITUDE, MAP = "T2starw", "Chimap"

SIGNED_SHARE = 0.15
"""Of the voxels that are not 0: filters leave a few per cent below zero in a magnitude, a map of susceptibility has a
third to a half there."""

SAMPLED = 100_000


def negative_share(data: NDArray[np.float32]) -> float:
    """Share of the voxels other than 0, (X, Y, Z), that lie below; of a sample, some milliseconds."""
    sample = data.ravel()[:: max(1, data.size // SAMPLED)]
    told = sample[sample != 0]
    return float((told < 0).mean()) if told.size else 0.0


def with_sign(answer: Answer, negative: float) -> Answer:
    """The answer with what it says of a gradient echo given to maps of susceptibility, where values have both signs."""
    if negative < SIGNED_SHARE:
        return answer
    both = answer.sequence[MAGNITUDE] + answer.sequence[MAP]
    return replace(answer, sequence={**answer.sequence, MAGNITUDE: 0.0, MAP: both})
