"""Wider and narrower sulci: what age takes from the cortex at the fluid, and what the young have more of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.freesurfer import CORTEX, FLUID
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.separable import spline_field

Mask = NDArray[np.bool_]

PATCH_MM = 25.0
"""Lobes lose different amounts."""


def widen_sulci(head: LabelMap, share: float, seed: int, patch_mm: float = PATCH_MM) -> LabelMap:
    """Turn a `share` (0 to 1) of the cortex at fluid, a voxel deep, into fluid, in patches of `patch_mm`.

    A head without a label for the fluid around the brain stays as it is.
    """
    return _exchange(head, CORTEX, FLUID, share, seed, patch_mm)


def narrow_sulci(head: LabelMap, share: float, seed: int, patch_mm: float = PATCH_MM) -> LabelMap:
    """Turn a `share` (0 to 1) of the fluid at the cortex, a voxel deep, into cortex of that side, in patches.

    Patches of a few mm leave sulci that are narrower than a voxel: dark lines in what counts as cortex, as the tight
    sulci of young people have.
    """
    return _exchange(head, FLUID, CORTEX, share, seed, patch_mm)


def _exchange(
    head: LabelMap, given: Sequence[int], taken: Sequence[int], share: float, seed: int, patch_mm: float
) -> LabelMap:
    """A `share` of the voxels `given` that touch one of `taken` become what they touch."""
    is_given = np.isin(head.values, given)
    if share <= 0 or not is_given.any():
        return head
    found = ndimage.find_objects(np.isin(head.values, CORTEX)[head.codes].astype(np.uint8))
    if not found:
        return head
    box = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in found[0])
    part = head.codes[box]
    neighbour = np.zeros_like(part)
    for code in np.flatnonzero(np.isin(head.values, taken)):
        neighbour[ndimage.binary_dilation(part == code)] = code
    rim: Mask = is_given[part] & (neighbour > 0)
    x, y, z = part.shape
    noise = spline_field(np.random.default_rng(seed), (x, y, z), patch_mm / head.spacing_mm)
    at = noise[rim]
    if not at.size:
        return head
    chosen = rim & (noise >= np.quantile(at, 1 - share))
    codes: NDArray[np.uint8] = head.codes.copy()
    codes[box][chosen] = neighbour[chosen]
    return replace(head, codes=codes)
