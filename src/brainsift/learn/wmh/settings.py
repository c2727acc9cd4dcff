"""How a network's probabilities are read: from which one on a voxel is lesion, and how small a lesion may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.evaluate.segmentation.lesions import CONNECTED, detect_lesions
from brainsift.evaluate.segmentation.overlap import dice
from brainsift.learn.wmh.bank import Bank
from brainsift.learn.wmh.predict import Ask, ask_all, compared
from brainsift.learn.wmh.source import SIMULATED

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
SMALLEST_MM3 = (0.0, 3.0, 5.0, 8.0, 12.0)
"""Tried on validation scans; 3 mm³ is three voxels, about what a rater marks at least."""

CLEAR_ML = 1.0
"""Loads from which Dice is worth a mean on few scans; below it a voxel more or less decides."""

MAX_FALSE_ML = 0.5
"""Median volume that may be found in scans without a lesion, of painted heads and of real brains apart: mostly healthy
adults have about as much."""


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

    def mark(self, settings: Settings) -> Mask:
        """As `Settings.mark`."""
        return without_small(self.told >= _level(settings.threshold), settings.min_lesion_mm3, self.voxel_mm3)


def choose_settings(ask: Ask, bank: Bank) -> Settings:
    """The threshold with the highest mean Dice from `CLEAR_ML` on among those that spare scans without lesions
    (`MAX_FALSE_ML`), the strictest if none does; then the smallest lesion with the highest mean F1.

    A healthy scan counts in F1: finding none is right (1), any is wrong (0). Where nothing can be told, the settings
    are the usual ones.
    """
    seen = []
    for (example, fine), facts in zip(ask_all(ask, bank), bank.facts, strict=True):
        pair = compared(example, fine)
        if pair is not None:
            reference, probability, spacing = pair
            # Bytes: a brain's take 5 MB, and steps of 0.4 % move no threshold.
            told = np.rint(probability * 255).astype(np.uint8)
            source = str(facts.get("source", SIMULATED))
            seen.append(_Seen(reference, told, float(np.prod(spacing)), source))
    if not any(one.reference.any() for one in seen):
        return Settings()
    spare = [threshold for threshold in THRESHOLDS if _false_ml(seen, threshold) <= MAX_FALSE_ML]
    threshold = max(spare or THRESHOLDS[-1:], key=lambda one: _overlap(seen, one))
    found = [[_f1(one.reference, one.mark(Settings(threshold, mm3))) for mm3 in SMALLEST_MM3] for one in seen]
    return Settings(threshold, SMALLEST_MM3[int(np.mean(found, axis=0).argmax())])


def _overlap(seen: Sequence[_Seen], threshold: float) -> float:
    """Mean Dice of scans with much, or with any lesion where none has much."""
    ill = [one for one in seen if one.reference.any()]
    clear = [one for one in ill if float(one.reference.sum()) * one.voxel_mm3 >= 1000 * CLEAR_ML]
    level = _level(threshold)
    return float(np.mean([dice(one.reference, one.told >= level) for one in clear or ill]))


def _false_ml(seen: Sequence[_Seen], threshold: float) -> float:
    """Median volume in scans without a lesion, of the kind of scan in which it is largest; 0 where there are none."""
    by_kind: dict[str, list[float]] = {}
    for one in seen:
        if not one.reference.any():
            found_ml = float(np.count_nonzero(one.mark(Settings(threshold)))) * one.voxel_mm3 / 1000
            by_kind.setdefault(one.source, []).append(found_ml)
    return max((float(np.median(volumes)) for volumes in by_kind.values()), default=0.0)


def _level(threshold: float) -> int:
    """Least byte that reaches a probability."""
    return int(np.ceil(255 * threshold))


def _f1(reference: Mask, answer: Mask) -> float:
    if not reference.any():
        return float(not answer.any())
    return detect_lesions(reference, answer).f1
