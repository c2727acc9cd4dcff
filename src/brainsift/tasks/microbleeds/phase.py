"""Whether values are those of a phase image, which wraps around from one end of its range to the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box
from brainsift.scans.conform import labels_to_input
from brainsift.scans.volume import Volume

Float32 = NDArray[np.float32]

WRAP_SHARE, MIN_WRAPS = 0.8, 3e-4
"""Share of neighbours that lie apart by most of the whole range: no magnitude has so many (`integrity`)."""

MIN_AT_ENDS = 0.02
"""Of the values, in the lowest and in the highest tenth of the range: those of phase lie anywhere, those of a magnitude
around tissue's."""

MAX_SLICES = 40


def looks_like_phase(volume: Volume, anatomy: Anatomy) -> bool:
    """Whether the brain's own voxels wrap around within slices."""
    slices = np.unique(np.linspace(0, volume.shape[2] - 1, MAX_SLICES).round().astype(int))
    brain = labels_to_input(anatomy.brain.view(np.uint8), anatomy.affine, volume)[:, :, slices] > 0
    box = bounding_box(brain)
    brain, values = brain[box], volume.data[:, :, slices][box]
    found = values[brain & (values != 0)]
    if found.size < 1000:
        return False
    low, high = (float(q) for q in np.quantile(found, (0.001, 0.999)))
    size = high - low
    ends = np.mean(found < low + 0.1 * size), np.mean(found > high - 0.1 * size)
    if not size > 0 or min(ends) < MIN_AT_ENDS:
        return False
    jumps = pairs = 0
    for axis in (0, 1):
        one, other = (np.moveaxis(values, axis, 0)[part] for part in (slice(1, None), slice(None, -1)))
        both = np.moveaxis(brain, axis, 0)[1:] & np.moveaxis(brain, axis, 0)[:-1] & (one != 0) & (other != 0)
        pairs += int(both.sum())
        jumps += int((both & (np.abs(one - other) > WRAP_SHARE * size)).sum())
    return jumps >= MIN_WRAPS * max(1, pairs)
