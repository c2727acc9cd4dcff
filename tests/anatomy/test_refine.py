from __future__ import annotations

import numpy as np
import pytest

from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.normalise import normalise
from brainsift.anatomy.refine import N_BINS, fit_mixture, refine_posterior
from tests.anatomy.conftest import Head
from tests.anatomy.synthetic import FLAIR, T1W, T2W, dice, render, soft


@pytest.mark.parametrize("contrast", [T1W, T2W, FLAIR], ids=["T1w", "T2w", "FLAIR"])
def test_soft_edges_move_to_where_the_image_changes(head: Head, contrast: dict[Tissue, float]) -> None:
    labels, _ = head
    posterior = soft(labels, sigma=2.5)
    refined = refine_posterior(posterior, normalise(render(labels, contrast)))
    for tissue in (Tissue.WHITE, Tissue.CORTEX, Tissue.VENTRICLES):
        before = dice(posterior.argmax(axis=0) == tissue, labels == tissue)
        after = dice(refined.posterior.argmax(axis=0) == tissue, labels == tissue)
        assert after > before
    assert refined.gain > 0


def test_posterior_still_sums_to_one(head: Head) -> None:
    refined = refine_posterior(soft(head[0]), normalise(render(head[0], T1W)))
    np.testing.assert_allclose(refined.posterior.sum(axis=0), 1.0, atol=1e-4)


def test_image_without_contrast_leaves_the_network_in_charge(head: Head) -> None:
    posterior = soft(head[0])
    refined = refine_posterior(posterior, np.zeros(head[0].shape, np.float32))
    assert dice(refined.posterior.argmax(axis=0) == Tissue.WHITE, posterior.argmax(axis=0) == Tissue.WHITE) > 0.99


def test_no_brain_is_returned_as_it_came() -> None:
    posterior = np.zeros((10, 8, 8, 8), np.float32)
    posterior[Tissue.HEAD] = 1.0
    assert refine_posterior(posterior, np.ones((8, 8, 8), np.float32)).posterior is posterior


def test_mixture_finds_two_peaks() -> None:
    centres = (np.arange(N_BINS) + 0.5) / N_BINS
    histogram = 1000 * (np.exp(-0.5 * ((centres - 0.2) / 0.03) ** 2) + np.exp(-0.5 * ((centres - 0.7) / 0.05) ** 2))
    mixture = fit_mixture(histogram, 2, rounds=30)
    np.testing.assert_allclose(np.sort(mixture.mean), [0.2, 0.7], atol=0.02)


def test_class_with_too_few_voxels_gets_a_flat_density() -> None:
    density = fit_mixture(np.eye(N_BINS)[3], 1).density()
    np.testing.assert_allclose(density, 1 / N_BINS)
