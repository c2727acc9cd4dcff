"""Lesions found, one by one: a lesion is a piece of 26-connected voxels, and any overlap counts as found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.evaluate.segmentation.masks import Mask, same_shape

NAN = float("nan")
CONNECTED = np.ones((3, 3, 3), bool)
"""Voxels that share a corner are one lesion, as in the WMH challenge (Kuijf 2019, IEEE TMI 38:2556)."""


@dataclass(frozen=True)
class Detection:
    """Counts of lesions.

    Attributes
    ----------
    reference, found : lesions of the reference, and those that the result touches.
    result, true : lesions of the result, and those that touch the reference.
    """

    reference: int
    found: int
    result: int
    true: int

    @property
    def recall(self) -> float:
        """Share of the reference's lesions that were found; NaN where it has none."""
        return self.found / self.reference if self.reference else NAN

    @property
    def precision(self) -> float:
        """Share of the result's lesions that are true; NaN where it has none."""
        return self.true / self.result if self.result else NAN

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision. NaN where neither mask has a lesion; 0 where one of them has none."""
        if not self.reference and not self.result:
            return NAN
        if not self.found or not self.true:
            return 0.0
        return 2 * self.recall * self.precision / (self.recall + self.precision)


def detect_lesions(reference: NDArray[Any], result: NDArray[Any]) -> Detection:
    """Count lesions and hits of two masks on one grid."""
    truth, answer = same_shape(reference, result)
    lesions, found = _touched(truth, answer)
    answered, true = _touched(answer, truth)
    return Detection(lesions, found, answered, true)


def _touched(mask: Mask, by: Mask) -> tuple[int, int]:
    """Pieces of `mask`, and how many of them hold a voxel of `by`."""
    pieces, count = ndimage.label(mask, CONNECTED)
    return count, np.unique(pieces[mask & by]).size
