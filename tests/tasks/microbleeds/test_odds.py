"""How sure both networks are: from all sides where it matters, and together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.tasks.microbleeds.odds import (
    LOOK_AGAIN,
    MIRRORS,
    from_all_sides,
    joint_probability,
    judge_cubes,
)

Float32 = NDArray[np.float32]


def corner(seen: Float32) -> Float32:
    """A network that looks at one corner alone."""
    return seen[:, 0, 0, 0, 0]


def cubes(count: int) -> Float32:
    return np.random.default_rng(0).normal(0, 3, (count, 3, 4, 4, 4)).astype(np.float32)


def test_a_cube_is_asked_from_all_eight_sides() -> None:
    seen = cubes(5)
    corners = seen[:, 0][:, ::3, ::3, ::3].reshape(5, -1).mean(axis=1)
    np.testing.assert_allclose(from_all_sides(corner, seen), corners, rtol=1e-5)
    np.testing.assert_allclose(from_all_sides(corner, seen[:, :, ::-1]), corners, rtol=1e-5)


def test_what_is_unlikely_at_first_sight_is_not_looked_at_again() -> None:
    seen, score, asked = cubes(40), np.full(40, 0.5, np.float32), []

    def ask(part: Float32) -> Float32:
        asked.append(len(part))
        return corner(part)

    said = judge_cubes(ask, seen, score, 0.3)
    first = joint_probability(corner(seen), score, 0.3)
    likely = first >= LOOK_AGAIN
    assert 0 < likely.sum() < 40
    assert asked == [40] + [likely.sum()] * len(MIRRORS)
    np.testing.assert_array_equal(said[~likely], first[~likely])
    every = joint_probability(from_all_sides(corner, seen), score, 0.3)
    np.testing.assert_allclose(said[likely], every[likely], rtol=1e-5)


def test_no_place_gets_no_answer() -> None:
    assert judge_cubes(corner, cubes(0), np.zeros(0, np.float32), 0.5).shape == (0,)
