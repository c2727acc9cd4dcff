from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.simulate.acquire import Acquisition, acquire, add_rician_noise, draw_acquisition, slice_profile
from brainsift.simulate.separable import along, linear_interpolation, spline_field

PERFECT = Acquisition((0.1, 0.1, 0.1), 0.0, 0.0, 3.0, 0.0, 0, 2, 1.0, 7)
SHAPE = (24, 28, 32)


def _brute_force(n: int, width: float, offset: float, row: np.ndarray) -> np.ndarray:
    """Slices `width` voxels thick by integrating over a thousand points each, then np.interp."""
    centres, means = [], []
    for centre in np.arange(-offset * width, n - 1 + width, width):
        points = centre + (np.arange(4000) + 0.5) / 4000 * width - width / 2
        inside = points[(points > -0.5) & (points < n - 0.5)]
        if inside.size:
            centres.append(centre)
            means.append(row[np.round(inside).astype(int)].mean())
    return np.interp(np.arange(n), centres, means)


@pytest.mark.parametrize(("width", "offset"), [(2.0, 0.0), (3.5, 0.3), (5.0, 0.9)])
def test_slices_average_and_interpolate_as_brute_force_does(width: float, offset: float) -> None:
    row = np.random.default_rng(0).random(40).astype(np.float32)
    profile = slice_profile(40, 1.0, width, offset)
    assert profile is not None
    assert np.allclose(profile.sum(axis=1), 1, atol=1e-5)
    # Brute force samples 4000 points a slice, so a voxel's share is off by up to 1/4000 of a slice.
    assert np.allclose(profile @ row, _brute_force(40, width, offset, row), atol=2e-3)


def test_slices_as_thin_as_the_grid_change_nothing() -> None:
    assert slice_profile(40, 1.0, 1.0, 0.5) is None
    assert slice_profile(40, 2.0, 1.0, 0.5) is None


def test_a_perfect_acquisition_returns_the_tissue() -> None:
    tissue = np.random.default_rng(1).random(SHAPE, dtype=np.float32)
    assert np.allclose(acquire(tissue, np.zeros(SHAPE, np.float32), PERFECT, 1.0), tissue)


@pytest.mark.parametrize("sigma", [0.01, 0.1])
def test_noise_in_air_is_rayleigh_and_in_tissue_gaussian(sigma: float) -> None:
    rng = np.random.default_rng(2)
    air = add_rician_noise(rng, np.zeros((60, 60, 60), np.float32), sigma)
    assert air.mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.01)
    assert air.std() == pytest.approx(sigma * np.sqrt(2 - np.pi / 2), rel=0.01)
    tissue = add_rician_noise(rng, np.full((60, 60, 60), 2, np.float32), sigma)
    assert tissue.std() == pytest.approx(sigma, rel=0.02)


def test_the_bias_field_has_its_strength_and_is_smooth() -> None:
    ones = np.ones((90, 90, 90), np.float32)
    bias = np.log(acquire(ones, np.zeros_like(ones), replace(PERFECT, bias=0.3), 2.0))
    assert 0.1 < bias.std() < 0.6
    steps_per_mm = max(np.abs(np.diff(bias, axis=axis)).max() for axis in range(3)) / 2.0
    assert steps_per_mm < 0.05


def test_a_ghost_is_a_shifted_copy() -> None:
    tissue = np.zeros(SHAPE, np.float32)
    tissue[12, 6, 16] = 1
    ghosted = acquire(tissue, np.zeros_like(tissue), replace(PERFECT, ghost=0.2, ghost_axis=1, ghost_parts=2), 1.0)
    assert ghosted[12, 6 + 14, 16] == pytest.approx(0.2)
    assert np.count_nonzero(ghosted) == 2


def test_gamma_bends_intensities_and_keeps_one() -> None:
    tissue = np.full(SHAPE, 0.25, np.float32)
    tissue[0] = 1
    bent = acquire(tissue, np.zeros_like(tissue), replace(PERFECT, gamma=0.5), 1.0)
    assert np.allclose(bent[1:], 0.5)
    assert np.allclose(bent[0], 1)


def test_texture_has_the_spread_of_its_label() -> None:
    tissue, spread = np.full((64, 64, 64), 1, np.float32), np.full((64, 64, 64), 0.05, np.float32)
    textured = acquire(tissue, spread, replace(PERFECT, texture_mm=2.0), 1.0)
    assert textured.std() == pytest.approx(0.05, rel=0.15)


def test_draws_are_seeded_and_within_what_scanners_do() -> None:
    drawn = [draw_acquisition(np.random.default_rng(seed)) for seed in range(200)]
    assert drawn[0] == draw_acquisition(np.random.default_rng(0))
    assert len(set(drawn)) == 200
    thick = [max(a.resolution_mm) for a in drawn]
    assert 0.2 < np.mean(np.array(thick) > 2.4) < 0.6
    assert max(thick) <= 7


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_along_is_a_matrix_product_in_one_axis(axis: int) -> None:
    rng = np.random.default_rng(3)
    volume, matrix = rng.random(SHAPE, dtype=np.float32), rng.random((5, SHAPE[axis]), dtype=np.float32)
    expected = np.moveaxis(np.tensordot(matrix, volume, axes=(1, axis)), 0, axis)
    assert np.allclose(along(matrix, volume, axis), expected, rtol=1e-5)


def test_linear_interpolation_is_numpys_and_holds_the_ends() -> None:
    row, at = np.random.default_rng(4).random(9), np.linspace(-2, 12, 50)
    assert np.allclose(linear_interpolation(at, 9) @ row, np.interp(at, np.arange(9), row), atol=1e-6)


def test_spline_fields_have_unit_spread_and_the_asked_for_smoothness() -> None:
    rng = np.random.default_rng(5)
    fine, coarse = spline_field(rng, (80, 80, 80), 4.0), spline_field(rng, (80, 80, 80), 16.0)
    assert fine.std() == pytest.approx(1, abs=0.15)
    assert np.diff(coarse, axis=0).std() < 0.5 * np.diff(fine, axis=0).std()
