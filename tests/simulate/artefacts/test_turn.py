from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from brainsift.simulate.artefacts.turn import shears, turn
from tests.simulate.artefacts.conftest import SPACING_MM, blobs, grid_mm

ANGLES = ((0.0, 0.0, 0.0), (7.0, 0.0, 0.0), (0.0, -6.0, 0.0), (0.0, 0.0, 9.0), (8.0, -5.0, 11.0), (0.01, 4.0, 4.0))


@pytest.mark.parametrize("angles", ANGLES)
def test_a_turned_head_is_the_head_read_at_turned_places(
    angles: tuple[float, float, float], head: NDArray[np.float32]
) -> None:
    turned = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    expected = blobs(np.einsum("ji,jxyz->ixyz", turned, grid_mm()))
    assert np.abs(turn(head, angles, SPACING_MM) - expected).max() < 2e-3


def test_turning_there_and_back_loses_nothing(head: NDArray[np.float32]) -> None:
    there = turn(head, (0.0, 0.0, 6.0), SPACING_MM)
    assert np.abs(there - head).max() > 0.05
    assert np.abs(turn(there, (0.0, 0.0, -6.0), SPACING_MM) - head).max() < 2e-3


@pytest.mark.parametrize("seed", range(30))
def test_shears_multiply_to_the_rotation_and_stay_small(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Some angles near 0, where splitting a rotation is ill-conditioned.
    x, y, z = (rng.normal(0, 8, 3) * rng.choice([0.0, 1e-3, 1.0], 3)).tolist()
    product = np.eye(3)
    for axis, steps in shears((x, y, z), (1.0, 1.0, 1.0)):
        shear = np.eye(3)
        shear[axis] += steps
        product = product @ shear
        assert max(map(abs, steps)) < 1.0
    reading = Rotation.from_euler("xyz", (x, y, z), degrees=True).inv().as_matrix()
    assert np.abs(product - reading).max() < 1e-8
    assert len(shears((x, y, z), (1.0, 1.0, 1.0))) <= 5


def test_no_rotation_needs_no_shear() -> None:
    assert shears((0.0, 0.0, 0.0), SPACING_MM) == []
