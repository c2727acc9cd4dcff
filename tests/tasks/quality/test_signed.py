"""Maps of susceptibility have values on both sides of zero, gradient echoes have not."""

import numpy as np
import pytest

from brainsift.scans.signed import negative_share
from brainsift.tasks.quality.network import N_OUTPUTS, OUTPUTS, Answer, decode
from brainsift.tasks.quality.signed import with_sign


@pytest.fixture
def taken_for_gradient_echo() -> Answer:
    logits = np.full((25, N_OUTPUTS), -9.0, np.float32)
    for name, value in (("proper", 9.0), ("sequence_T2starw", 2.0), ("sequence_Chimap", 1.0)):
        logits[:, OUTPUTS.index(name)] = value
    return decode(logits)


def image(below: float) -> np.ndarray:
    """Noise in a ball, so many of its voxels below zero, and air of exactly 0."""
    rng = np.random.default_rng(0)
    data = np.zeros((40, 40, 40), np.float32)
    data[10:30, 10:30, 10:30] = np.where(rng.random((20, 20, 20)) < below, -1.0, 1.0)
    return data


def test_signed_values_make_a_map(taken_for_gradient_echo: Answer) -> None:
    told = with_sign(taken_for_gradient_echo, negative_share(image(0.4)))
    assert told.likeliest_sequence() == "Chimap"
    assert sum(told.sequence.values()) == pytest.approx(1)
    assert told.proper == taken_for_gradient_echo.proper


@pytest.mark.parametrize("below", [0.0, 0.05])
def test_a_magnitude_stays_one(taken_for_gradient_echo: Answer, below: float) -> None:
    assert with_sign(taken_for_gradient_echo, negative_share(image(below))) is taken_for_gradient_echo


def test_the_share_is_of_what_is_not_air() -> None:
    assert negative_share(image(0.4)) == pytest.approx(0.4, abs=0.1)
    assert negative_share(np.zeros((4, 4, 4), np.float32)) == 0
