"""Values on both sides of zero tell a map of susceptibility from a gradient echo: a magnitude has none below.

The network sees grey values scaled to [0, 1] and cannot know where zero lies.
"""

from __future__ import annotations

from dataclasses import replace

from brainsift.scans.signed import SIGNED_SHARE
from brainsift.tasks.quality.network import Answer

MAGNITUDE, MAP = "T2starw", "Chimap"


def with_sign(answer: Answer, negative: float) -> Answer:
    """The answer with what it says of a gradient echo given to maps of susceptibility, where values have both signs."""
    if negative < SIGNED_SHARE:
        return answer
    both = answer.sequence[MAGNITUDE] + answer.sequence[MAP]
    return replace(answer, sequence={**answer.sequence, MAGNITUDE: 0.0, MAP: both})
