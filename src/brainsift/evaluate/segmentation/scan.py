"""All figures of one scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from brainsift.evaluate.segmentation.lesions import detect_lesions
from brainsift.evaluate.segmentation.masks import same_shape
from brainsift.evaluate.segmentation.overlap import dice, volume_difference_percent, volume_ml
from brainsift.evaluate.segmentation.surface import hausdorff_mm


@dataclass(frozen=True)
class ScanScores:
    """How well one mask fits its reference; NaN where a figure is undefined (see the function that makes it).

    Attributes
    ----------
    reference_ml, result_ml : volumes, mL.
    dice : 0 to 1.
    hd95_mm : mm.
    avd_percent : absolute volume difference, % of the reference.
    lesion_recall, lesion_precision, lesion_f1 : 0 to 1.
    reference_lesions, result_lesions : counts.
    """

    reference_ml: float
    result_ml: float
    dice: float
    hd95_mm: float
    avd_percent: float
    lesion_recall: float
    lesion_precision: float
    lesion_f1: float
    reference_lesions: int
    result_lesions: int


def score_masks(reference: NDArray[Any], result: NDArray[Any], spacing_mm: Sequence[float]) -> ScanScores:
    """Compare a mask with its reference, both (X, Y, Z) on one grid with voxels of `spacing_mm`.

    Masks may be of truth values, whole numbers or fractions, see `as_mask`.

    Raises
    ------
    ValueError
        if the shapes differ, or one of them is no mask.
    """
    truth, answer = same_shape(reference, result)
    reference_ml, result_ml = volume_ml(truth, spacing_mm), volume_ml(answer, spacing_mm)
    lesions = detect_lesions(truth, answer)
    return ScanScores(
        reference_ml=reference_ml,
        result_ml=result_ml,
        dice=dice(truth, answer),
        hd95_mm=hausdorff_mm(truth, answer, spacing_mm),
        avd_percent=volume_difference_percent(reference_ml, result_ml),
        lesion_recall=lesions.recall,
        lesion_precision=lesions.precision,
        lesion_f1=lesions.f1,
        reference_lesions=lesions.reference,
        result_lesions=lesions.result,
    )
