"""What passes between the two networks."""

import numpy as np
import pytest

from brainsift.anatomy.labels import N_TISSUES, Tissue
from brainsift.anatomy.stages import BOX_MULTIPLE, coarse_image, double, edge_inputs, intracranial_box, softmax


def test_doubling_interpolates_linearly_between_cell_centres() -> None:
    ramp = np.broadcast_to(np.arange(6, dtype=np.float32)[:, None, None], (6, 4, 4))
    doubled = double(ramp[None].copy())[0]
    assert doubled.shape == (12, 8, 8)
    np.testing.assert_allclose(doubled[1:-1, 3, 3], (np.arange(1, 11) - 0.5) / 2, atol=1e-6)


def test_doubling_keeps_probabilities_summing_to_one() -> None:
    posterior = softmax(np.random.default_rng(0).normal(size=(N_TISSUES, 5, 6, 7)).astype(np.float32))
    np.testing.assert_allclose(double(posterior).sum(axis=0), 1.0, atol=1e-5)


def test_coarse_image_is_the_average_of_eight_voxels_up_to_normalisation() -> None:
    rng = np.random.default_rng(1)
    image = rng.uniform(0.2, 0.8, (16, 16, 16)).astype(np.float32)
    blocks = image.reshape(8, 2, 8, 2, 8, 2).mean(axis=(1, 3, 5))
    assert np.corrcoef(coarse_image(image).ravel(), blocks.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("corner", [(0, 0, 0), (20, 30, 10), (50, 50, 50)])
def test_box_holds_all_that_may_lie_inside_the_skull(corner: tuple[int, int, int]) -> None:
    posterior = np.zeros((N_TISSUES, 64, 64, 64), np.float32)
    posterior[Tissue.BACKGROUND] = 1
    inside = tuple(slice(c, c + 9) for c in corner)
    posterior[Tissue.BACKGROUND][inside], posterior[Tissue.WHITE][inside] = 0, 1
    box = intracranial_box(posterior)
    assert box is not None
    for side, part in zip(box, inside, strict=True):
        assert side.start <= part.start
        assert side.stop >= part.stop
        assert (side.stop - side.start) % BOX_MULTIPLE == 0


def test_there_is_no_box_where_nothing_lies_inside_a_skull() -> None:
    posterior = np.zeros((N_TISSUES, 8, 8, 8), np.float32)
    posterior[Tissue.HEAD] = 1
    assert intracranial_box(posterior) is None


def test_second_network_reads_the_image_and_both_posteriors() -> None:
    posterior = np.full((N_TISSUES, 4, 4, 4), 0.1, np.float32)
    assert edge_inputs(np.ones((4, 4, 4), np.float32), posterior, posterior).shape == (1 + 2 * N_TISSUES, 4, 4, 4)
