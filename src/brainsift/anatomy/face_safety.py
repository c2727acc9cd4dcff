"""What of a head may be shown: the inside of the skull and a thin rim, never a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box
from brainsift.anatomy.labels import WORKING_SPACING_MM, Tissue
from brainsift.anatomy.remember import remembered

Bool = NDArray[np.bool_]

SEEN_RIM_MM = 8.0
"""Shown around the intracranial space: enough to judge the border with the skull, too little for eyes or nose."""

BLUR_CELL_MM = 24.0
"""Cell of the picture without a brain. A face is about 130 mm wide: five or six cells, and nobody is recognised."""


def dilate_ball(mask: Bool, radius: int) -> Bool:
    """Dilate a mask (X, Y, Z) by a ball of `radius` voxels; exact, and no wrap-around at the border."""
    runs = [mask]
    for length in range(1, radius + 1):
        grown = runs[-1].copy()
        grown[:, :, length:] |= mask[:, :, :-length]
        grown[:, :, :-length] |= mask[:, :, length:]
        runs.append(grown)
    out = np.zeros_like(mask)
    for dx in range(-radius, radius + 1):
        for dy in range(-radius, radius + 1):
            rest = radius**2 - dx**2 - dy**2
            if rest >= 0:
                target, source = _overlap(dx, mask.shape[0]), _overlap(dy, mask.shape[1])
                out[target[0], source[0]] |= runs[int(rest**0.5)][target[1], source[1]]
    return out


def _overlap(shift: int, size: int) -> tuple[slice, slice]:
    """Where an axis of `size` shifted by `shift` lands, and what lands there."""
    first, last = max(0, shift), max(0, min(size, size + shift))
    return slice(first, last), slice(first - shift, max(first, last) - shift)


@dataclass(frozen=True, eq=False)
class Seen:
    """The part of the working grid that a picture may show.

    Attributes
    ----------
    origin : working-grid voxel of the crop's first corner; negative where the crop leaves the field of view.
    region : bool (X, Y, Z), what may be shown of the crop; it touches all six sides.
    envelope : bool (X, Y, Z), the brain with its sulci closed.
    """

    origin: tuple[int, int, int]
    region: Bool
    envelope: Bool

    def crop(self, array: NDArray[Any], fill: float) -> NDArray[Any]:
        """Cut an array on the working grid to the crop; outside the field of view the value is `fill`."""
        return _cut(array, self.origin, self.region.shape, fill)


@remembered
def seen_region(anatomy: Anatomy, rim_mm: float = SEEN_RIM_MM) -> Seen:
    """The intracranial space and `rim_mm` around it.

    The intracranial space is the brain and the fluid that lies within `rim_mm` of it, so that fluid wrongly found in
    the face opens no window on it.

    Raises
    ------
    ValueError
        if the anatomy has no brain.
    """
    if not anatomy.brain.any():
        raise ValueError("The anatomy has no brain: there is no region to show.")
    rim = max(1, round(rim_mm / WORKING_SPACING_MM))
    box = bounding_box(anatomy.brain)
    origin = tuple(span.start - 2 * rim - 1 for span in box)
    shape = tuple(span.stop - span.start + 4 * rim + 2 for span in box)
    brain = _cut(anatomy.brain, origin, shape, False)
    near = dilate_ball(brain, rim)
    region = dilate_ball(brain | (near & (_cut(anatomy.labels, origin, shape, 0) == Tissue.CSF)), rim)
    view = bounding_box(region)
    x, y, z = (o + span.start for o, span in zip(origin, view, strict=True))
    return Seen((x, y, z), region[view], ~dilate_ball(~near, rim)[view])


def _cut(array: NDArray[Any], origin: tuple[int, ...], shape: tuple[int, ...], fill: float) -> NDArray[Any]:
    out = np.full(shape, fill, dtype=array.dtype)
    source, target = [], []
    for first, size, limit in zip(origin, shape, array.shape, strict=True):
        source.append(slice(max(0, first), min(limit, first + size)))
        target.append(slice(max(0, -first), min(limit, first + size) - first))
    out[tuple(target)] = array[tuple(source)]
    return out


def blurred(image: NDArray[np.float32], cell_mm: float = BLUR_CELL_MM) -> NDArray[np.float32]:
    """Mean over cells of `cell_mm`, shape about (X, Y, Z) / cell: all that is shown where no brain was found."""
    step = max(1, round(cell_mm / WORKING_SPACING_MM))
    out: NDArray[Any] = image
    for axis in range(3):
        starts = np.arange(0, image.shape[axis], step)
        counts = np.diff(np.append(starts, image.shape[axis])).astype(np.float32)
        shape = [1, 1, 1]
        shape[axis] = counts.size
        out = np.add.reduceat(out, starts, axis=axis) / counts.reshape(shape)
    return out.astype(np.float32)
