"""Whether values are those of a phase image, which wraps around from one end of its range to the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box
from brainsift.scans.conform import labels_to_input
from brainsift.scans.volume import Volume

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

TENTHS, MIN_IN_TENTH = 10, 0.02
"""Phase lies anywhere: each tenth of its range holds a fiftieth of the values at least. Magnitudes lie around those of
their tissues."""

JUMP, WRAP = 0.5, 0.8
MIN_WRAPS, MIN_WRAPS_OF_JUMPS = 3e-4, 0.6
"""Neighbours that lie apart by more than 0.8 of the range, as a share of all neighbours and of those that lie apart by
more than half of it: a wrap jumps over the whole range, while edges between tissues come in all heights."""

MIN_VALUES = 1000
MAX_SLICES = 40


def looks_like_phase(volume: Volume, anatomy: Anatomy) -> bool:
    """Whether the brain's own voxels wrap around within slices."""
    slices = np.unique(np.linspace(0, volume.shape[2] - 1, MAX_SLICES).round().astype(int))
    brain = labels_to_input(anatomy.brain.view(np.uint8), anatomy.affine, volume)[:, :, slices] > 0
    box = bounding_box(brain)
    return wraps(volume.data[:, :, slices][box], brain[box])


def wraps(values: Float32, where: Mask) -> bool:
    """Whether values (X, Y, Z) wrap around between neighbours along the first two axes.

    Parameters
    ----------
    where : bool (X, Y, Z), voxels that count; exact zeros do not.
    """
    counts = where & (values != 0)
    found = values[counts]
    if found.size < MIN_VALUES:
        return False
    low, high = (float(q) for q in np.quantile(found, (0.001, 0.999)))
    if not high > low:
        return False
    tenths = np.histogram(found, TENTHS, (low, high))[0] / found.size
    if tenths.min() < MIN_IN_TENTH:
        return False
    jumps = wrapped = pairs = 0
    for axis in (0, 1):
        both = np.moveaxis(counts, axis, 0)[1:] & np.moveaxis(counts, axis, 0)[:-1]
        apart = np.abs(np.diff(values, axis=axis)) / np.float32(high - low)
        far = np.moveaxis(apart, axis, 0)[both]
        pairs += far.size
        jumps += int((far > JUMP).sum())
        wrapped += int((far > WRAP).sum())
    return wrapped >= MIN_WRAPS * max(1, pairs) and wrapped >= MIN_WRAPS_OF_JUMPS * max(1, jumps)
