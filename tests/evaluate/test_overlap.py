"""Dice against hand computation."""

import math

import numpy as np
import pytest

from brainsift.evaluate.overlap import dice


def test_dice_equals_the_hand_computed_value() -> None:
    truth = np.array([0, 1, 1, 1, 2, 2])
    predicted = np.array([0, 1, 1, 2, 2, 0])
    result = dice(predicted, truth, {"one": (1,), "two": (2,), "both": (1, 2)})
    assert result["one"] == pytest.approx(2 * 2 / (3 + 2))
    assert result["two"] == pytest.approx(2 * 1 / (2 + 2))
    assert result["both"] == pytest.approx(2 * 4 / (5 + 4))


def test_a_region_that_neither_map_holds_is_undefined_not_perfect() -> None:
    assert math.isnan(dice(np.zeros(3, int), np.zeros(3, int), {"lesion": (4,)})["lesion"])


def test_a_region_that_only_one_map_holds_scores_zero() -> None:
    assert dice(np.array([0, 4]), np.zeros(2, int), {"lesion": (4,)})["lesion"] == 0


def test_maps_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        dice(np.zeros((2, 2), int), np.zeros(4, int), {"a": (1,)})
