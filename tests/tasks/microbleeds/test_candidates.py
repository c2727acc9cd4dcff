"""What is compared with a peak: all that lies within 3 mm of it, also at the border of the grid."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter

from brainsift.tasks.microbleeds.candidates import APART_MM, greatest_around
from brainsift.tasks.microbleeds.grid import SPACING_MM


def ball() -> np.ndarray:  # type: ignore[type-arg]
    reach = [int(APART_MM / mm) for mm in SPACING_MM]
    away = np.meshgrid(*(np.arange(-r, r + 1) * mm for r, mm in zip(reach, SPACING_MM, strict=True)), indexing="ij")
    near: np.ndarray = sum(axis**2 for axis in away) <= APART_MM**2  # type: ignore[type-arg]
    return near


def test_the_greatest_around_is_that_of_a_ball_also_at_the_border() -> None:
    values = np.random.default_rng(0).random((23, 19, 11)).astype(np.float32)
    at = np.argwhere(values >= 0)
    wanted = maximum_filter(values, footprint=ball(), mode="constant", cval=-np.inf)
    np.testing.assert_array_equal(greatest_around(values, at), wanted.reshape(-1))
    assert len(greatest_around(values, at[:0])) == 0
