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

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
SMALLEST_MM3 = (0.0, 3.0, 5.0, 8.0, 12.0)
"""Tried on validation scans; 3 mm³ is three voxels, about what a rater marks at least."""

SLIGHT_ML = 0.5
"""Added to both sides of the Dice quotient: so much found where nothing is halves the score of such a scan. Half of all
people have next to no lesions, and plain Dice says nothing of them."""


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


def choose_settings(ask: Ask, bank: Bank) -> Settings:
    """The threshold with the highest mean smoothed Dice, then the smallest lesion with the highest mean F1.

    Scans without a lesion count in both: finding none there is right (1); what is found counts against the threshold by
    its volume (`SLIGHT_ML`), and against the smallest lesion wholly (0). Where nothing can be told, the settings are
    the usual ones.
    """
    seen = []
    for example, fine in ask_all(ask, bank):
        pair = compared(example, fine)
        if pair is not None:
            reference, probability, spacing = pair
            # Bytes: a brain's take 5 MB, and steps of 0.4 % move no threshold.
            seen.append((reference, np.rint(probability * 255).astype(np.uint8), float(np.prod(spacing))))
    if not seen:
        return Settings()
    levels = [int(np.ceil(255 * threshold)) for threshold in THRESHOLDS]
    overlap = np.array([[_smoothed(ref, told >= level, voxel) for level in levels] for ref, told, voxel in seen])
    threshold = THRESHOLDS[int(overlap.mean(axis=0).argmax())]
    level = int(np.ceil(255 * threshold))
    found = np.array(
        [[_f1(ref, without_small(told >= level, mm3, voxel)) for mm3 in SMALLEST_MM3] for ref, told, voxel in seen]
    )
    return Settings(threshold, SMALLEST_MM3[int(found.mean(axis=0).argmax())])


def _smoothed(reference: Mask, answer: Mask, voxel_mm3: float) -> float:
    """Dice with `SLIGHT_ML` added above and below; 1 where both are empty."""
    slight = 1000 * SLIGHT_ML / voxel_mm3
    shared = float((reference & answer).sum())
    return (2 * shared + slight) / (float(reference.sum()) + float(answer.sum()) + slight)


def _f1(reference: Mask, answer: Mask) -> float:
    if not reference.any():
        return float(not answer.any())
    return detect_lesions(reference, answer).f1
