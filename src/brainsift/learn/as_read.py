"""A simulated image as the reader would give it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.volume import InputGrid, ReadFacts, Volume

GREY_LEVELS = 1000
"""Scanners store whole numbers, the brightest tissue at about this."""


def as_volume(image: NDArray[np.float32], affine: NDArray[np.float64], *, magnitude: bool = True) -> Volume:
    """A simulated RAS+ scan as the reader would give it: magnitudes rounded to whole numbers as scanners store them,
    others (susceptibility in ppm) as they are."""
    data = np.rint(image * np.float32(GREY_LEVELS)).astype(np.float32) if magnitude else image
    x, y, z = data.shape
    facts = ReadFacts("nifti1", "int16" if magnitude else "float32", (x, y, z), "0" * 64)
    return Volume(data, affine, InputGrid((x, y, z), affine, (0, 1, 2), (False, False, False)), facts)
