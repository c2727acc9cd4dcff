"""The kinds of white-matter hyperintensity, as raters name them."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """Where a lesion lies (Fazekas 1987, AJR 149:351; Wardlaw 2013, Lancet Neurol 12:822).

    Caps and bands along the lateral ventricles are `PERIVENTRICULAR`; what has grown from them into the depth is
    `CONFLUENT`.
    """

    PERIVENTRICULAR = 1
    CONFLUENT = 2
    DEEP = 3
    JUXTACORTICAL = 4
    INFRATENTORIAL = 5


PERIVENTRICULAR_MM = 10.0
"""Nothing periventricular lies farther from the ventricle's wall (DeCarli 2005, Stroke 36:50)."""

JUXTACORTICAL_MM = 1.5
"""What comes this near to the cortex touches it: a voxel and a half."""
