"""How far a volume can be relied upon: how sure the network was, and whether the scan is like those it learnt from.

Limits are ours and set in advance; no labels have confirmed them. The flags refer a finding (`brainsift.decide.wmh`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.tasks.wmh.marked import Marked
from brainsift.tasks.wmh.native import LEVELS, NativeMap
from brainsift.tasks.wmh.places import Places
from brainsift.tasks.wmh.volumes import volume_ml

FLOOR = 0.05
"""Probability below which a voxel adds nothing to the expected volume: the faint rest of a litre of white matter would
outweigh small lesions."""

HIGH_AT = 0.25
"""The upper volume is that at half the threshold, at most at this probability: a network with a threshold near 1 spares
healthy people and misses lesions, and what it half sees has to count as doubt."""

MIN_RANGE_ML = 2.0
MAX_RANGE = 1.0
"""The volume is uncertain where the lower one, half-way from the threshold to 1, and the upper one lie further apart
than 2 mL and than the volume itself."""

MAX_UNCERTAIN, MIN_JUDGED_ML = 0.6, 1.0
"""Share of the marked volume nearer to the threshold than to 1; below 1 mL soft edges alone make up as much."""

MAX_OUTSIDE = 0.5
"""Share of the marked volume where the anatomy pass has ventricle, fluid or no brain: choroid plexus and its like. It
may call a quarter of true lesions fluid, where they are dark and border on the ventricles."""

MAX_CUT = 0.02
"""Share of the brain outside the field of view, as in the integrity task: lesions there are not counted."""

MIN_CONFIDENCE = 0.3
"""Of the anatomy, as in the other tasks."""

CONTRAST_SEEN = (0.05, 0.6)
"""By how much the cortex is darker than white matter, as a share of it. In T1w it is 0.15 to 0.4; below, white and grey
matter look alike, above or with the opposite sign it is another contrast."""

SPACING_SEEN_MM = (0.4, 3.0)
"""Voxel size along any axis: finer ones are averaged to 1 mm, coarser ones hide lesions between two slices."""

MAX_SEEN_ML = 100.0
"""Training showed up to 80 mL; a hundred and more is next to never white-matter disease alone."""


@dataclass(frozen=True)
class Trust:
    """What speaks about the reliability of a volume.

    Attributes
    ----------
    expected_ml : sum of the probabilities from `FLOOR` on.
    low_ml, high_ml : volume at the threshold half-way to 1, and at half the threshold or `HIGH_AT`.
    uncertain_share : of the marked volume, what is gone at the higher threshold.
    entropy_bits : mean over the marked voxels, 0 sure to 1 even odds.
    outside_brain_share : of the marked volume, where there is no parenchyma.
    contrast : cortex against white matter, see `CONTRAST_SEEN`; None where either is missing.
    """

    expected_ml: float
    low_ml: float
    high_ml: float
    uncertain_share: float
    entropy_bits: float
    outside_brain_share: float
    contrast: float | None


def assess(native: NativeMap, marked: Marked, places: Places, anatomy: Anatomy, threshold: float) -> Trust:
    """Measure it; shares and entropy of nothing are 0."""
    low_mm3 = native.voxel_mm3 * int(np.count_nonzero(native.at_least((1 + threshold) / 2)))
    high_mm3 = native.voxel_mm3 * int(np.count_nonzero(native.at_least(min(threshold / 2, HIGH_AT))))
    volume = marked.volume_mm3
    sure = marked.probability >= (1 + threshold) / 2
    return Trust(
        expected_ml=volume_ml(_expected_mm3(native)),
        low_ml=volume_ml(min(low_mm3, volume)),
        high_ml=volume_ml(max(high_mm3, volume)),
        uncertain_share=float(1 - sure.mean()) if volume else 0.0,
        entropy_bits=_entropy(marked) if volume else 0.0,
        outside_brain_share=float(1 - places.in_brain.mean()) if volume else 0.0,
        contrast=white_grey_contrast(anatomy),
    )


def _expected_mm3(native: NativeMap) -> float:
    counts = np.bincount(native.levels.reshape(-1), minlength=LEVELS + 1)
    probability = np.arange(LEVELS + 1) / LEVELS
    return float((counts * probability)[probability >= FLOOR].sum() * native.voxel_mm3)


def _entropy(marked: Marked) -> float:
    p = np.clip(marked.probability.astype(np.float64), 1e-6, 1 - 1e-6)
    return float(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)).mean())


def white_grey_contrast(anatomy: Anatomy) -> float | None:
    """By how much the cortex is darker than white matter, as a share of white matter's brightness."""
    white, cortex = anatomy.tissue.get("white"), anatomy.tissue.get("cortex")
    if white is None or cortex is None or not white.median > 0:
        return None
    return (white.median - cortex.median) / white.median


def flags(trust: Trust, volume: float, spacing_mm: Sequence[float], anatomy: Anatomy) -> tuple[str, ...]:
    """Reasons to have a person look.

    Parameters
    ----------
    volume : marked, mL.
    spacing_mm : of the scan, (3,).
    """
    low, high = SPACING_SEEN_MM
    unlike = trust.contrast is not None and not CONTRAST_SEEN[0] <= trust.contrast <= CONTRAST_SEEN[1]
    told = {
        "brain_cut": anatomy.outside_fov > MAX_CUT,
        "low_confidence": anatomy.confidence < MIN_CONFIDENCE,
        "not_placed": anatomy.to_mni is None,
        "out_of_distribution": unlike,
        "outside_training_range": min(spacing_mm) < low or max(spacing_mm) > high or volume > MAX_SEEN_ML,
        "volume_uncertain": trust.high_ml - trust.low_ml > max(MIN_RANGE_ML, MAX_RANGE * volume),
        "mostly_uncertain": volume >= MIN_JUDGED_ML and trust.uncertain_share > MAX_UNCERTAIN,
        "marked_outside_brain": volume > 0 and trust.outside_brain_share > MAX_OUTSIDE,
    }
    return tuple(flag for flag, holds in told.items() if holds)
