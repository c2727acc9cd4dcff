from __future__ import annotations

import numpy as np
import pytest

from brainsift.anatomy.normalise import normalise, padding_value


def gradient(shape: tuple[int, int, int] = (20, 20, 20)) -> np.ndarray:
    return np.linspace(100, 900, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def test_result_is_float32_between_zero_and_one() -> None:
    result = normalise(gradient())
    assert result.dtype == np.float32
    assert result.min() == 0
    assert result.max() == 1


@pytest.mark.parametrize("value", [0.0, -5.0, 1e6])
def test_constant_image_gives_zeros(value: float) -> None:
    assert not normalise(np.full((4, 4, 4), value, np.float32)).any()


def test_scale_and_offset_do_not_matter() -> None:
    image = gradient()
    np.testing.assert_allclose(normalise(image), normalise(image * 37 + 400), atol=1e-3)


def test_one_bright_spike_does_not_darken_the_rest() -> None:
    image = gradient()
    spiked = image.copy()
    spiked[0, 0, 0] = 1e7
    np.testing.assert_allclose(normalise(spiked)[1:], normalise(image)[1:], atol=0.02)


def test_padding_is_black_even_where_it_lies_between_tissue_values() -> None:
    rng = np.random.default_rng(0)
    image = np.zeros((30, 30, 30), np.float32)
    image[5:25, 5:25, 5:25] = rng.normal(0, 1, (20, 20, 20))  # a z-scored, skull-stripped brain
    result = normalise(image)
    assert not result[image == 0].any()
    assert result[5:25, 5:25, 5:25].std() > 0.1


def test_negative_background_is_black() -> None:
    image = np.full((20, 20, 20), -1024, np.float32)
    image[5:15, 5:15, 5:15] = gradient((10, 10, 10))
    assert padding_value(image.ravel()) == -1024
    assert normalise(image)[0, 0, 0] == 0


def test_share_of_air_does_not_change_tissue() -> None:
    image = np.zeros((40, 40, 40), np.float32)
    image[10:30, 10:30, 10:30] = gradient()
    tight, wide = normalise(image[8:32, 8:32, 8:32]), normalise(image)
    np.testing.assert_allclose(tight, wide[8:32, 8:32, 8:32], atol=0.03)
