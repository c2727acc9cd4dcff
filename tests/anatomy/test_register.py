"""Bending finds a displacement that was put in, and does nothing where there is nothing to gain."""

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.atlas_prior import PRIOR_SHAPE, load_prior, sample
from brainsift.anatomy.register import bend
from brainsift.anatomy.structures import N_STRUCTURES


def grid() -> NDArray[np.float32]:
    return np.indices(PRIOR_SHAPE).astype(np.float32)


def test_a_smooth_displacement_is_undone() -> None:
    at = grid()
    true = np.zeros_like(at)
    true[1] = 1.5 * np.exp(-(((at - np.array([26, 31, 28]).reshape(3, 1, 1, 1)) / 12) ** 2).sum(axis=0))
    truth = sample(load_prior(), at + true).argmax(axis=-1)
    shown = np.eye(N_STRUCTURES, dtype=np.float32)[truth] + np.float32(0.02)
    found = bend(load_prior(), at, lambda _: shown, np.zeros_like(at), (8, 8))
    inside = truth > 1
    wrong_before = np.mean((sample(load_prior(), at).argmax(axis=-1) != truth)[inside])
    wrong_after = np.mean((sample(load_prior(), at + found).argmax(axis=-1) != truth)[inside])
    assert wrong_after < 0.75 * wrong_before


def test_what_explains_everything_alike_moves_nothing() -> None:
    at = grid()
    flat = np.ones((*PRIOR_SHAPE, N_STRUCTURES), np.float32)
    assert np.abs(bend(load_prior(), at, lambda _: flat, np.zeros_like(at), (3,))).max() < 1e-3
