"""How a network's probabilities are read: from which one on a voxel is lesion, and how small a lesion may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.evaluate.segmentation.lesions import CONNECTED, detect_lesions
from brainsift.learn.wmh.bank import Bank
from brainsift.learn.wmh.predict import Ask, ask_all, compared
from brainsift.learn.wmh.source import SIMULATED

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
SMALLEST_MM3 = (0.0, 3.0, 5.0, 8.0, 12.0)
"""Tried on validation scans; 3 mm³ is three voxels, about what a rater marks at least."""

SLIGHT_ML = 0.5
"""Added to both sides of the Dice quotient: of a lesion of a few voxels one more or less decides plain Dice."""

MAX_FALSE_ML = 0.3
"""Median volume that may be found in scans without a lesion, of painted heads and of real brains apart."""


@dataclass(frozen=True)
class Settings:
    """Chosen on validation scans, written into the ONNX file.

    Attributes
    ----------
    threshold : probability from which a voxel is lesion.
    min_lesion_mm3 : smaller lesions are not counted.
    """

    threshold: float = 0.5
    min_lesion_mm3: float = 3.0

    def metadata(self) -> Mapping[str, str]:
        """As the task reads it from the file."""
        return {"threshold": f"{self.threshold:g}", "min_lesion_mm3": f"{self.min_lesion_mm3:g}"}

    def mark(self, probability: Float32, spacing_mm: Sequence[float] | NDArray[np.float64]) -> Mask:
        """The lesions of a probability map (X, Y, Z), as the task marks them."""
        mask: Mask = probability >= self.threshold
        return without_small(mask, self.min_lesion_mm3, float(np.prod(spacing_mm)))


def without_small(mask: Mask, min_mm3: float, voxel_mm3: float) -> Mask:
    """A mask without lesions (26-connected) smaller than `min_mm3`."""
    least = int(np.ceil(min_mm3 / voxel_mm3 - 1e-9))
    if least <= 1 or not mask.any():
        return mask
    pieces, _ = ndimage.label(mask, CONNECTED)
    large = np.bincount(pieces.reshape(-1)) >= least
    large[0] = False
    kept: Mask = large[pieces]
    return kept


@dataclass(frozen=True, eq=False)
class _Seen:
    """A validation scan: its lesions, what the network told in bytes, and the kind of scan."""

    reference: Mask
    told: NDArray[np.uint8]
    voxel_mm3: float
    source: str

    def told_ml(self, level: int) -> float:
        return float(np.count_nonzero(self.told >= level)) * self.voxel_mm3 / 1000


def choose_settings(ask: Ask, bank: Bank) -> Settings:
    """The threshold with the highest mean smoothed Dice where there are lesions, among those that spare scans without
    (`MAX_FALSE_ML`), the strictest if none does; then the smallest lesion with the highest mean F1.

    A healthy scan counts in F1: finding none is right (1), any is wrong (0). Where nothing can be told, the settings
    are the usual ones.
    """
    seen = []
    for number, (example, fine) in enumerate(ask_all(ask, bank)):
        pair = compared(example, fine)
        if pair is not None:
            reference, probability, spacing = pair
            # Bytes: a brain's take 5 MB, and steps of 0.4 % move no threshold.
            told = np.rint(probability * 255).astype(np.uint8)
            source = str(bank.facts[number].get("source", SIMULATED))
            seen.append(_Seen(reference, told, float(np.prod(spacing)), source))
    if not any(one.reference.any() for one in seen):
        return Settings()
    threshold = _best_threshold(seen)
    level = _level(threshold)
    found = [
        [_f1(one.reference, without_small(one.told >= level, mm3, one.voxel_mm3)) for mm3 in SMALLEST_MM3]
        for one in seen
    ]
    return Settings(threshold, SMALLEST_MM3[int(np.mean(found, axis=0).argmax())])


def _best_threshold(seen: Sequence[_Seen]) -> float:
    spare = [threshold for threshold in THRESHOLDS if _false_ml(seen, _level(threshold)) <= MAX_FALSE_ML]
    ill = [one for one in seen if one.reference.any()]

    def overlap(threshold: float) -> float:
        level = _level(threshold)
        return float(np.mean([_smoothed(one.reference, one.told >= level, one.voxel_mm3) for one in ill]))

    return max(spare or THRESHOLDS[-1:], key=overlap)


def _false_ml(seen: Sequence[_Seen], level: int) -> float:
    """Median volume in scans without a lesion, of the kind of scan in which it is largest; 0 where there are none."""
    healthy = [one for one in seen if not one.reference.any()]
    kinds = {one.source for one in healthy}
    medians = [np.median([one.told_ml(level) for one in healthy if one.source == kind]) for kind in kinds]
    return float(max(medians, default=0.0))


def _level(threshold: float) -> int:
    """Least byte that reaches a probability."""
    return int(np.ceil(255 * threshold))


def _smoothed(reference: Mask, answer: Mask, voxel_mm3: float) -> float:
    """Dice with `SLIGHT_ML` added above and below; 1 where both are empty."""
    slight = 1000 * SLIGHT_ML / voxel_mm3
    shared = float((reference & answer).sum())
    return (2 * shared + slight) / (float(reference.sum()) + float(answer.sum()) + slight)


def _f1(reference: Mask, answer: Mask) -> float:
    if not reference.any():
        return float(not answer.any())
    return detect_lesions(reference, answer).f1
