from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.simulate.artefacts.geometry import Metal, Wrap, apply_metal, apply_wrap, draw_metal, draw_wrap

Float32 = NDArray[np.float32]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_what_lies_outside_folds_in_on_the_other_side(axis: int) -> None:
    shape = [4, 4, 4]
    shape[axis] = 10
    image = np.zeros(shape, np.float32)
    np.moveaxis(image, axis, 0)[:] = np.arange(10, dtype=np.float32)[:, None, None]
    wrapped = apply_wrap(image, Wrap(axis, 0.8, 0.5, 0.0))
    # Of 0..9, the field shows 1..8: 9 falls on 1 and 0 on 8.
    assert np.moveaxis(wrapped.image, axis, 0)[:, 0, 0].tolist() == [10, 2, 3, 4, 5, 6, 7, 8]
    assert wrapped.box[axis] == slice(1, 9)
    assert image[wrapped.box].shape == wrapped.image.shape
    assert wrapped.image.sum() == pytest.approx(image.sum())


def test_the_whole_field_folds_nothing(head: Float32, brain: NDArray[np.bool_]) -> None:
    wrapped = apply_wrap(head, Wrap(1, 1.0, 0.5, 0.0), brain)
    assert np.array_equal(wrapped.image, head)
    assert wrapped.overlap == 0


def test_suppression_takes_folds_away_and_smaller_fields_make_more(head: Float32, brain: NDArray[np.bool_]) -> None:
    shares = [apply_wrap(head, Wrap(1, field, 0.5, 0.0), brain).overlap for field in (0.6, 0.4, 0.25)]
    assert shares == sorted(shares)
    assert shares[-1] > 0.05
    clean = apply_wrap(head, Wrap(1, 0.5, 0.5, 1.0), brain)
    assert np.array_equal(clean.image, head[clean.box])


def test_an_impossible_field_is_refused(head: Float32) -> None:
    with pytest.raises(ValueError, match="field"):
        apply_wrap(head, Wrap(0, 0.0, 0.5, 0.0))


def test_metal_takes_the_signal_away_around_it_and_leaves_the_rest() -> None:
    image = np.ones((60, 60, 60), np.float32)
    brain = np.ones(image.shape, bool)
    metal = Metal((0.0, 10.0, 0.0), (8.0, 8.0, 8.0), 1.0, 0)
    lost = apply_metal(image, metal, (1.0, 1.0, 1.0), brain)
    assert lost.image[30, 40, 30] == pytest.approx(0, abs=1e-6)
    assert lost.image[30, 5, 30] == pytest.approx(1)
    # The pile-up stands on the positive side of the readout axis alone.
    assert lost.image[39, 40, 30] > 1.3
    assert lost.image[20, 40, 30] <= 1.0
    assert 0 < lost.change < 0.3


def test_draws_are_seeded() -> None:
    for draw in (draw_wrap, draw_metal):
        assert draw(np.random.default_rng(1), 1.0).to_dict() == draw(np.random.default_rng(1), 1.0).to_dict()
