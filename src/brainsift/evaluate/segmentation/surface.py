"""Distance of two surfaces in mm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.evaluate.segmentation.masks import Mask, same_shape

PERCENTILE = 95.0


def hausdorff_mm(
    reference: NDArray[Any], result: NDArray[Any], spacing_mm: Sequence[float], percentile: float = PERCENTILE
) -> float:
    """The larger of the two directed percentiles of the distance from one surface to the other, in mm (HD95).

    Surfaces are the voxels of a mask with a face neighbour outside of it; beyond the grid is outside. Distances are
    between centres of voxels. A few false voxels far away reach it only when they are 5 % of the surface.

    Either mask is empty: NaN, because there is no surface to measure from. Count such scans beside the mean.
    """
    truth, answer = same_shape(reference, result)
    if not truth.any() or not answer.any():
        return float("nan")
    box = ndimage.find_objects((truth | answer).astype(np.uint8))[0]
    one, other = _surface(truth[box]), _surface(answer[box])
    spacing = tuple(float(mm) for mm in spacing_mm)
    return max(_directed(one, other, spacing, percentile), _directed(other, one, spacing, percentile))


def _surface(mask: Mask) -> Mask:
    """Voxels with a face neighbour that is not in the mask. A box around the mask cuts nothing off: outside of it is
    outside of the mask."""
    inner: Mask = ndimage.binary_erosion(mask, border_value=0)
    return mask & ~inner


def _directed(start: Mask, goal: Mask, spacing_mm: tuple[float, ...], percentile: float) -> float:
    distances = ndimage.distance_transform_edt(~goal, sampling=spacing_mm)
    return float(np.percentile(distances[start], percentile))
