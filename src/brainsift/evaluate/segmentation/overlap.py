"""Overlap and volume of two masks on one grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.segmentation.masks import as_mask, same_shape

NAN = float("nan")


def dice(reference: NDArray[Any], result: NDArray[Any]) -> float:
    """Dice coefficient 2|A and B| / (|A| + |B|), 0 to 1 (Dice 1945, Ecology 26:297).

    Neither holds a lesion: NaN, because there is nothing to overlap and a perfect 1 would raise a mean. One of them is
    empty: 0.
    """
    truth, answer = same_shape(reference, result)
    size = int(truth.sum()) + int(answer.sum())
    return 2 * int((truth & answer).sum()) / size if size else NAN


def volume_ml(mask: NDArray[Any], spacing_mm: Sequence[float]) -> float:
    """Volume of a mask in mL; 0 of an empty one. `spacing_mm` is the voxel's size, (3,)."""
    return int(as_mask(mask).sum()) * float(np.prod(np.asarray(spacing_mm, float))) / 1000.0


def volume_difference_percent(reference_ml: float, result_ml: float) -> float:
    """Absolute volume difference in % of the reference, as in the WMH challenge (Kuijf 2019, IEEE TMI 38:2556).

    NaN where the reference is empty: no error is a share of nothing; look at the result's volume there. An empty result
    gives 100.
    """
    return 100 * abs(result_ml - reference_ml) / reference_ml if reference_ml > 0 else NAN
