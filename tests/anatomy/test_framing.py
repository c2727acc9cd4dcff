from __future__ import annotations

import numpy as np
import pytest

from brainsift.anatomy.framing import MAX_VOXELS, MULTIPLE, Frame, frame_head


def block(shape: tuple[int, int, int], low: tuple[int, int, int], high: tuple[int, int, int]) -> np.ndarray:
    image = np.zeros(shape, np.float32)
    image[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = np.random.default_rng(0).uniform(
        50, 100, tuple(b - a for a, b in zip(low, high, strict=True))
    )
    return image


@pytest.mark.parametrize("shape", [(5, 5, 5), (90, 110, 70), (128, 128, 128), (30, 200, 20)])
def test_sizes_suit_the_network(shape: tuple[int, int, int]) -> None:
    frame = frame_head(np.random.default_rng(0).uniform(1, 2, shape).astype(np.float32))
    assert all(n % MULTIPLE == 0 and 0 < n <= MAX_VOXELS for n in frame.shape)


def test_head_is_inside_with_little_air_around() -> None:
    frame = frame_head(block((128, 128, 128), (40, 30, 50), (80, 90, 100)))
    assert all(
        s <= low and s + n >= high
        for s, n, low, high in zip(frame.start, frame.shape, (40, 30, 50), (80, 90, 100), strict=True)
    )
    assert frame.shape == (48, 80, 64)


def test_long_field_of_view_keeps_the_upper_end() -> None:
    image = block((100, 100, 300), (20, 20, 0), (80, 80, 290))
    frame = frame_head(image)
    assert frame.shape[2] == MAX_VOXELS
    assert 286 <= frame.start[2] + MAX_VOXELS <= 296


def test_cut_pads_with_zero_and_affine_follows() -> None:
    array = np.arange(27, dtype=np.float32).reshape(3, 3, 3) + 1
    frame = Frame((-1, 1, 0), (4, 2, 3))
    cut = frame.cut(array)
    assert not cut[0].any()
    np.testing.assert_array_equal(cut[1:], array[:, 1:])
    assert frame.inside(array.shape).sum() == 18
    np.testing.assert_allclose(frame.affine(np.diag([2.0, 2, 2, 1]))[:3, 3], [-2, 2, 0])


def test_empty_image_gives_a_frame_all_the_same() -> None:
    assert frame_head(np.zeros((20, 20, 20), np.float32)).shape == (32, 32, 32)
