"""The mixture model: brightness of structures from a histogram."""

import numpy as np
import pytest

from brainsift.anatomy.refine import N_BINS, BinnedPrior, bins_of, estimate_densities, fit_mixtures, posterior_of
from brainsift.anatomy.structures import N_STRUCTURES, STRUCTURES

WHITE, CORTEX, CAUDATE, PALLIDUM = (
    [s.name for s in STRUCTURES].index(name) for name in ("white", "cortex", "caudate", "pallidum")
)


def two_tissues(n: int = 20_000, sure: float = 0.7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, a prior that is right by and large, and an image in which white is brighter."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    prior = np.full((N_STRUCTURES, n), 1e-4, np.float32)
    prior[WHITE], prior[CORTEX] = np.where(truth, sure, 1 - sure), np.where(truth, 1 - sure, sure)
    image = np.where(truth, 0.7, 0.4) + rng.normal(0, 0.04, n)
    return truth, prior / prior.sum(axis=0), image.astype(np.float32)


def test_a_vague_prior_becomes_a_sure_posterior_where_brightness_tells() -> None:
    truth, prior, image = two_tissues()
    bins = bins_of(image)
    posterior = posterior_of(prior, estimate_densities(prior, bins), bins)
    assert np.mean((posterior[WHITE] > 0.5) == truth) > 0.99
    np.testing.assert_allclose(posterior.sum(axis=0), 1, atol=1e-4)


def test_image_without_contrast_leaves_the_prior_in_charge() -> None:
    truth, prior, _ = two_tissues()
    bins = bins_of(np.full(truth.size, 0.5, np.float32))
    posterior = posterior_of(prior, estimate_densities(prior, bins), bins)
    assert np.mean((posterior[WHITE] > 0.5) == truth) > 0.99


def test_a_structure_of_a_few_voxels_is_held_by_its_tissue() -> None:
    prior = np.full((N_STRUCTURES, 3000), 1e-5, np.float32)
    prior[CAUDATE, :2985], prior[PALLIDUM, 2985:] = 1, 1
    rng = np.random.default_rng(1)
    image = np.where(np.arange(3000) < 2985, 0.5, 0.9) + rng.normal(0, 0.02, 3000)
    densities = estimate_densities(prior / prior.sum(axis=0), bins_of(image.astype(np.float32)))
    pallidum = densities[PALLIDUM] @ ((np.arange(N_BINS) + 0.5) / N_BINS)
    assert 0.55 < pallidum < 0.85


def test_mixture_finds_two_peaks() -> None:
    centres = (np.arange(N_BINS) + 0.5) / N_BINS
    histogram = 1000 * (np.exp(-0.5 * ((centres - 0.2) / 0.03) ** 2) + np.exp(-0.5 * ((centres - 0.7) / 0.05) ** 2))
    mixtures = fit_mixtures(np.stack([histogram, histogram[::-1]]), 2, rounds=30)
    np.testing.assert_allclose(np.sort(mixtures.mean), [[0.2, 0.7], [0.3, 0.8]], atol=0.02)


def test_structure_without_voxels_gets_a_flat_density() -> None:
    density = fit_mixtures(np.eye(N_BINS)[3:5], 1).density()
    np.testing.assert_allclose(density, 1 / N_BINS)


def test_histograms_count_each_voxel_by_its_share() -> None:
    rng = np.random.default_rng(2)
    bins = bins_of(rng.random(500).astype(np.float32) ** 3)
    shares = rng.dirichlet(np.ones(N_STRUCTURES), 500).T.astype(np.float32)
    counted = BinnedPrior.of(shares, bins)
    expected = [np.bincount(bins, row, N_BINS) for row in shares]
    np.testing.assert_allclose(counted.histograms(counted.prior), expected, atol=1e-4)


@pytest.mark.parametrize(("value", "bin_"), [(0.0, 0), (0.5, N_BINS // 2), (1.0, N_BINS - 1)])
def test_bins_cover_the_normalised_range(value: float, bin_: int) -> None:
    assert bins_of(np.array([value], np.float32))[0] == bin_
