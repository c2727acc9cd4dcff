"""Halving and doubling the working grid."""

import numpy as np

from brainsift.anatomy.grids import coarse_image, double, fine, pool


def test_doubling_interpolates_linearly_between_cell_centres() -> None:
    ramp = np.broadcast_to(np.arange(6, dtype=np.float32)[:, None, None], (6, 4, 4))
    doubled = double(ramp.copy())
    assert doubled.shape == (12, 8, 8)
    np.testing.assert_allclose(doubled[1:-1, 3, 3], (np.arange(1, 11) - 0.5) / 2, atol=1e-6)


def test_doubling_and_halving_keeps_what_is_constant() -> None:
    field = np.full((4, 6, 8), 0.3, np.float32)
    np.testing.assert_allclose(pool(double(field)) / 8, field, atol=1e-6)


def test_pooling_counts_masks() -> None:
    mask = np.zeros((4, 4, 4), np.bool_)
    mask[:2, :2, 0] = True
    assert pool(mask)[0, 0, 0] == 4
    assert pool(mask).sum() == 4


def test_coarse_image_is_the_average_of_eight_voxels_up_to_normalisation() -> None:
    rng = np.random.default_rng(1)
    image = rng.uniform(0.2, 0.8, (16, 16, 16)).astype(np.float32)
    blocks = image.reshape(8, 2, 8, 2, 8, 2).mean(axis=(1, 3, 5))
    assert np.corrcoef(coarse_image(image).ravel(), blocks.ravel())[0, 1] > 0.99


def test_a_box_of_the_coarse_grid_holds_eight_times_the_voxels() -> None:
    assert fine((slice(1, 3), slice(0, 2), slice(5, 6))) == (slice(2, 6), slice(0, 4), slice(10, 12))
