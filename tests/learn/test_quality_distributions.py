"""Distributions of detail and of grey values: they read noise and contrast, and nothing outside their region."""

import math

import pytest
import torch
from torch import Tensor

from brainsift.learn.quality.distributions import (
    DETAIL_STEPS,
    GREY_STEPS,
    N_DISTRIBUTIONS,
    distributions,
)
from brainsift.tasks.quality.slices import BRIGHTEST

K, G = len(DETAIL_STEPS), len(GREY_STEPS)
PER_LEVEL = 6 * K + G + 2


def seen(linear: Tensor) -> Tensor:
    """A slice (1, 1, H, W) as the network gets it, from grey values where 1 is the bright end of the brain."""
    return (linear.clamp(min=0) / BRIGHTEST).sqrt().clamp(max=1)[None, None]


def square(level: float = 0.9) -> Tensor:
    image = torch.zeros(64, 64)
    image[16:48, 16:48] = level
    return image


def test_there_are_as_many_as_promised_and_all_are_shares() -> None:
    found = distributions(torch.rand(3, 1, 64, 64))
    assert found.shape == (3, N_DISTRIBUTIONS)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize("sd", [0.02, 0.06, 0.15])
def test_the_median_detail_is_that_of_the_noise(sd: float) -> None:
    torch.manual_seed(0)
    image = torch.full((128, 128), 0.9) + sd * torch.randn(128, 128)
    below = distributions(seen(image))[0, : 3 * K].reshape(K, 3)
    expected = [math.erf(step / sd / math.sqrt(2)) for step in DETAIL_STEPS]
    for direction in range(3):
        assert below[:, direction].tolist() == pytest.approx(expected, abs=0.03)


def test_noise_fades_from_one_level_to_the_next_and_a_ripple_of_eight_pixels_does_not() -> None:
    torch.manual_seed(0)
    noisy = torch.full((128, 128), 0.9) + 0.08 * torch.randn(128, 128)
    ripple = 0.9 + 0.15 * torch.sin(torch.arange(128) * 2 * math.pi / 8).expand(128, 128)
    step = 4
    for image, fades in ((noisy, True), (ripple, False)):
        found = distributions(seen(image))[0]
        fine, coarse = (
            found[level * PER_LEVEL + 3 * step : level * PER_LEVEL + 3 * step + 3].min() for level in (0, 1)
        )
        assert bool(coarse > fine) is fades


def test_two_tissues_make_two_steps() -> None:
    image = torch.full((64, 64), 0.6)
    image[:, 32:] = 1.0
    grey = distributions(seen(image))[0, 6 * K : 6 * K + G]
    assert grey.tolist() == pytest.approx([0.5 * (step > 0.6) + 0.5 * (step > 1.0) for step in GREY_STEPS])


def test_empty_and_fat_count_neither_as_tissue_nor_as_air() -> None:
    found = distributions(seen(square(3.0)))[0]
    assert found[6 * K + G : PER_LEVEL].tolist() == [0, 0]
    assert float(found[: 6 * K + G].sum()) == 0


def test_air_is_what_is_dim_but_not_empty() -> None:
    image = square(0.9)
    image[:8] = 0.02
    found = distributions(seen(image))[0]
    assert found[6 * K + G : PER_LEVEL].tolist() == pytest.approx([0.25, 0.125])
