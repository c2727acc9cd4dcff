"""What counts as lesion in a file that somebody gives as a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

LEVEL = 0.5
"""Of a mask of fractions or probabilities. Whole numbers are lesion from 1 on: the script of the WMH challenge compares
integers with 0.5 cut to an integer, which is 0, and then counts the background as well."""


def as_mask(array: NDArray[Any]) -> Mask:
    """Which voxels are lesion: True, a whole number above 0, or a fraction above `LEVEL`.

    Raises
    ------
    ValueError
        if the array is not 3D, holds NaN or infinite values, or values below 0.
    """
    if array.ndim != 3:
        raise ValueError(f"a mask has three dimensions, got shape {array.shape}; give one mask, not a series")
    if array.dtype == np.bool_:
        return array
    if not np.isfinite(array).all():
        raise ValueError("the mask holds NaN or infinite values; write 0 where there is no lesion")
    if array.size and array.min() < 0:
        raise ValueError(f"a mask holds 0 and more, got {array.min()}; give a mask or probabilities, not logits")
    mask: Mask = array > (LEVEL if np.issubdtype(array.dtype, np.floating) else 0)
    return mask


def same_shape(reference: NDArray[Any], result: NDArray[Any]) -> tuple[Mask, Mask]:
    """Both as masks.

    Raises
    ------
    ValueError
        if their shapes differ, or one of them is no mask.
    """
    if reference.shape != result.shape:
        raise ValueError(f"both masks must be on one grid, got {reference.shape} and {result.shape}; resample one")
    return as_mask(reference), as_mask(result)
