"""What of the head a scan shows: its height, and whether the skull was stripped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.separable import along, linear_interpolation

Float32 = NDArray[np.float32]

STRIPPED_SHARE = 0.35
COARSE_MM = 3.0
"""Grid on which the brain's mask is closed: masks of tools that strip are smooth."""


@dataclass(frozen=True)
class Shown:
    """One drawn coverage.

    Attributes
    ----------
    below_mm, above_mm : shown below and above the brain.
    stripped : all but the brain is 0.
    fold_mm : folds narrower than twice this belong to the brain's mask.
    margin_mm : by which the mask is wider (+) or narrower (-) than the brain.
    """

    below_mm: float
    above_mm: float
    stripped: bool
    fold_mm: float
    margin_mm: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_shown(rng: np.random.Generator, slice_axis: int) -> Shown:
    """Draw what a scan shows; where slices are not axial, the neck lies in their plane."""
    below = rng.uniform(2, 18) if slice_axis == 2 else rng.uniform(15, 50)
    return Shown(
        below_mm=float(below),
        above_mm=float(rng.uniform(3, 18)),
        stripped=bool(rng.random() < STRIPPED_SHARE),
        fold_mm=float(rng.uniform(5, 12)),
        margin_mm=float(rng.uniform(-1.0, 2.5)),
    )


def crop_height(head: LabelMap, shown: Shown) -> LabelMap:
    """The head between `below_mm` below and `above_mm` above its brain."""
    is_brain, _ = brain_and_csf(head.values)
    heights = np.flatnonzero(is_brain[head.codes].any(axis=(0, 1)))
    low = max(0, int(heights[0] - shown.below_mm / head.spacing_mm))
    high = min(head.codes.shape[2], int(heights[-1] + shown.above_mm / head.spacing_mm) + 2)
    return replace(head, codes=np.ascontiguousarray(head.codes[:, :, low:high]), centre=head.centre - [0, 0, low])


def brain_share(head: LabelMap, shown: Shown) -> Float32:
    """The mask of a tool that strips: brain with the fluid in its folds, float32 (X, Y, Z), 0 to 1, smooth; 0.1 s."""
    is_brain, _ = brain_and_csf(head.values)
    step = max(1, round(COARSE_MM / head.spacing_mm))
    brain = is_brain[head.codes[step // 2 :: step, step // 2 :: step, step // 2 :: step]]
    mm = step * head.spacing_mm
    room = int(np.ceil(shown.fold_mm / mm)) + 1
    brain = np.pad(brain, room, mode="edge")
    grown = ndimage.distance_transform_edt(~brain, sampling=mm) <= shown.fold_mm
    inside = ndimage.distance_transform_edt(grown, sampling=mm) - ndimage.distance_transform_edt(~grown, sampling=mm)
    level = (inside - shown.fold_mm + shown.margin_mm)[(slice(room, -room),) * 3].astype(np.float32)
    at = [(np.arange(n) - step // 2) / step for n in head.codes.shape]
    for axis, (places, n) in enumerate(zip(at, level.shape, strict=True)):
        level = along(linear_interpolation(places, n), level, axis)
    share: Float32 = np.clip(level / np.float32(head.spacing_mm) + np.float32(0.5), 0, 1)
    return share
