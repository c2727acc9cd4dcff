"""From the 1 mm box to the scan's own grid: places, volumes, and what is stored."""

from __future__ import annotations

import numpy as np
import pytest

from brainsift.tasks.wmh.marked import mark
from brainsift.tasks.wmh.native import LEVELS, to_native
from tests.tasks.wmh.scene import BALLS, box_affine, covering, probability, truth_ml, volume

MAX_DIFFERENCE = 0.02
"""Of the total volume of the analytic map, turned or resampled."""


def test_on_its_own_grid_a_map_is_kept_to_the_step_in_which_it_is_stored() -> None:
    found = probability()
    native = to_native(found, box_affine(), volume())
    assert native.whole(native.levels).shape == found.shape
    assert np.abs(native.whole(native.levels) / LEVELS - found).max() <= 0.5 / LEVELS + 1e-6


@pytest.mark.parametrize(
    ("spacing", "degrees", "shift"),
    [
        ((1.0, 1.0, 1.0), 15.0, 0.0),
        ((1.5, 1.5, 1.5), 0.0, 0.4),
        ((1.5, 1.5, 1.5), 15.0, 0.0),
        ((0.7, 0.7, 1.2), 8.0, 0.3),
        ((0.9, 0.9, 3.0), 0.0, 0.2),
    ],
)
def test_the_volume_hardly_changes_when_the_scan_is_turned_or_resampled(
    spacing: tuple[float, float, float], degrees: float, shift: float
) -> None:
    own = mark(to_native(probability(), box_affine(), volume())).volume_mm3 / 1000
    other = mark(to_native(probability(), box_affine(), covering(spacing, degrees, shift)))
    assert own == pytest.approx(truth_ml(), rel=MAX_DIFFERENCE)
    assert other.volume_mm3 / 1000 == pytest.approx(own, rel=MAX_DIFFERENCE)
    assert other.count == len(BALLS)


def test_a_lesion_stays_in_its_place_on_an_oblique_grid() -> None:
    (ball,) = balls = BALLS[:1]
    marked = mark(to_native(probability(balls), box_affine(), covering((1.0, 1.2, 2.0), 15.0)))
    assert np.abs(marked.mm.mean(axis=0) - ball[0]).max() < 0.15


def test_a_scan_that_the_box_does_not_meet_holds_no_lesion() -> None:
    far = box_affine()
    far[:3, 3] += 500
    native = to_native(probability(), far, volume())
    assert native.levels.size == 0
    marked = mark(native)
    assert (marked.count, marked.volume_mm3, marked.index.shape) == (0, 0.0, (0, 3))
    assert not native.whole(marked.mask).any()


def test_a_box_larger_than_the_scan_is_cut_to_it() -> None:
    small = volume((20, 20, 20), covering((2.0, 2.0, 2.0)).affine)
    native = to_native(np.ones((96, 108, 100), np.float32), box_affine(), small)
    assert native.levels.shape <= small.shape
    assert native.whole(native.levels).shape == (20, 20, 20)


def test_the_threshold_is_that_of_the_stored_map() -> None:
    grid = volume((4, 4, 4), np.eye(4))
    flat = np.full((4, 4, 4), 0.5, np.float32)
    native = to_native(flat, np.eye(4), grid)
    stored = int(native.levels[0, 0, 0]) / LEVELS
    assert native.at_least(stored).all()
    assert not native.at_least(stored + 1 / LEVELS).any()
    assert not to_native(0 * flat, np.eye(4), grid).at_least(1e-9).any()


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.2, float("nan")])
def test_a_threshold_that_is_none_is_refused(threshold: float) -> None:
    native = to_native(np.zeros((4, 4, 4), np.float32), np.eye(4), volume((4, 4, 4), np.eye(4)))
    with pytest.raises(ValueError, match="between 0 and 1"):
        mark(native, threshold)


def test_specks_below_the_smallest_lesion_are_not_counted_but_stay_in_the_map() -> None:
    found = np.zeros((12, 12, 12), np.float32)
    found[1, 1, 1:3] = 1
    found[5, 5, 5] = found[6, 6, 6] = found[7, 7, 7] = 1  # 26-connected by their corners
    native = to_native(found, np.eye(4), volume((12, 12, 12), np.eye(4)))
    marked = mark(native, min_mm3=3.0)
    assert (marked.count, marked.volume_mm3) == (1, 3.0)
    assert np.count_nonzero(native.levels) == 5
    assert mark(native, min_mm3=0.0).count == 2
