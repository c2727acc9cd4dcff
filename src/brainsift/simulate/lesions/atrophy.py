"""Old brains: wider sulci, and a head's own lesions taken out, so that it is known what is in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.ground import CORTEX, OLD_LESION
from brainsift.simulate.separable import spline_field

FLUID = 24
PATCH_MM = 25.0
"""Lobes lose different amounts."""


def without_own_lesions(head: LabelMap) -> LabelMap:
    """The same head with FreeSurfer's lesion labels as white matter of their side."""
    values = head.values.copy()
    for old, white in zip(OLD_LESION, (2, 41), strict=True):
        values[values == old] = white
    return replace(head, values=values)


def widen_sulci(head: LabelMap, share: float, seed: int) -> LabelMap:
    """Turn a `share` (0 to 1) of the cortex at fluid, a voxel deep, into fluid, in patches of some centimetres.

    A head without a label for the fluid around the brain stays as it is.
    """
    fluid = np.flatnonzero(head.values == FLUID)
    if not fluid.size or share <= 0:
        return head
    is_cortex, is_fluid = np.isin(head.values, CORTEX), head.values == FLUID
    found = ndimage.find_objects(is_cortex[head.codes].astype(np.uint8))
    if not found:
        return head
    box = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in found[0])
    part = head.codes[box]
    rim = is_cortex[part] & ndimage.binary_dilation(is_fluid[part])
    codes: NDArray[np.uint8] = head.codes.copy()
    x, y, z = part.shape
    noise = spline_field(np.random.default_rng(seed), (x, y, z), PATCH_MM / head.spacing_mm)
    at = noise[rim]
    if at.size:
        codes[box][rim & (noise >= np.quantile(at, 1 - share))] = fluid[0]
    return replace(head, codes=codes)
