"""Bending finds a displacement that was put in, and does nothing where there is nothing to gain."""

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.atlas_prior import PRIOR_SHAPE, load_prior, sample
from brainsift.anatomy.register import affine_step, align, bend
from brainsift.anatomy.structures import N_STRUCTURES
from brainsift.anatomy.voxels import Voxels


def grid() -> NDArray[np.float32]:
    return np.indices(PRIOR_SHAPE).astype(np.float32)


def everywhere() -> Voxels:
    return Voxels.of(np.ones(PRIOR_SHAPE, np.bool_))


def test_a_smooth_displacement_is_undone() -> None:
    at = grid()
    true = np.zeros_like(at)
    true[1] = 1.5 * np.exp(-(((at - np.array([26, 31, 28]).reshape(3, 1, 1, 1)) / 12) ** 2).sum(axis=0))
    truth = sample(load_prior(), at + true).argmax(axis=-1)
    shown = np.eye(N_STRUCTURES, dtype=np.float32)[truth.reshape(-1)] + np.float32(0.02)
    found = bend(load_prior(), at, everywhere(), lambda _: shown, np.zeros_like(at), (8, 8))
    inside = truth > 1
    wrong_before = np.mean((sample(load_prior(), at).argmax(axis=-1) != truth)[inside])
    wrong_after = np.mean((sample(load_prior(), at + found).argmax(axis=-1) != truth)[inside])
    assert wrong_after < 0.75 * wrong_before


def test_what_explains_everything_alike_moves_nothing() -> None:
    at = grid()
    flat = np.ones((at[0].size, N_STRUCTURES), np.float32)
    assert np.abs(bend(load_prior(), at, everywhere(), lambda _: flat, np.zeros_like(at), (3,))).max() < 1e-3


def test_an_affine_is_found_that_was_put_in() -> None:
    still = np.vstack([grid().reshape(3, -1), np.ones(grid()[0].size)])
    true = np.eye(4)
    true[:3, :3] += [[0.06, 0.03, 0], [-0.04, -0.05, 0.02], [0, 0.03, 0.04]]
    true[:3, 3] = [-1.0, 2.0, -1.5]

    def at(motion: np.ndarray) -> np.ndarray:
        return (motion @ still)[:3].reshape(3, *PRIOR_SHAPE).astype(np.float32)

    truth = sample(load_prior(), at(true)).argmax(axis=-1).reshape(-1)
    shown = np.eye(N_STRUCTURES, dtype=np.float32)[truth] + np.float32(0.02)
    found = align(load_prior(), at, everywhere(), lambda _: shown, (12,))
    inside = still[:, truth > 1]
    before, after = (np.linalg.norm((m - true) @ inside, axis=0).mean() for m in (np.eye(4), found))
    assert after < 0.25 * before


def test_an_affine_step_of_no_force_is_no_step() -> None:
    place = np.indices((4, 5, 6)).reshape(3, -1).astype(np.float64)
    np.testing.assert_allclose(affine_step(np.zeros((3, 120), np.float32), place), np.eye(4))
