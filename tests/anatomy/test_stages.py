"""The stages of the anatomy pass, one by one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.anatomy.labels import INTRACRANIAL, N_TISSUES, Tissue
from brainsift.anatomy.normalise import normalise
from brainsift.anatomy.stages import (
    Laid,
    bend_prior,
    coarse_image,
    combine,
    complete,
    double,
    draw_edges,
    even_out,
    fine,
    intracranial_box,
    lay,
    pool,
    softmax,
)
from tests.anatomy.synthetic import FLAIR, T1W, T2W, average_head, dice, render, soft

Float32 = NDArray[np.float32]
Scene = tuple[NDArray[np.uint8], Float32]
Contrast = dict[Tissue, float]


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


def test_there_is_no_box_where_nothing_lies_inside_a_skull() -> None:
    posterior = np.zeros((N_TISSUES, 8, 8, 8), np.float32)
    posterior[Tissue.HEAD] = 1
    assert intracranial_box(posterior) is None


def random_posterior(seed: int, *shape: int) -> np.ndarray:
    return softmax(np.random.default_rng(seed).normal(size=(N_TISSUES, *shape)).astype(np.float32))


def test_combining_lets_the_network_alone_tell_air_from_head() -> None:
    prior, where = random_posterior(4, 3, 3, 3), random_posterior(5, 3, 3, 3)
    both = combine(prior, where)
    np.testing.assert_allclose(both.sum(axis=0), 1, atol=1e-5)
    share = both[Tissue.HEAD] / (both[Tissue.HEAD] + both[Tissue.BACKGROUND])
    np.testing.assert_allclose(share, where[Tissue.HEAD] / (where[Tissue.HEAD] + where[Tissue.BACKGROUND]), atol=1e-3)


def test_no_average_head_is_laid_over_what_holds_no_brain() -> None:
    nothing = np.zeros((N_TISSUES, 16, 16, 16), np.float32)
    nothing[Tissue.HEAD] = 1
    assert lay(np.ones((16, 16, 16), np.float32), nothing) is None


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A head of the average brain on the 2 mm grid, and what a coarse network would say of it."""
    labels, _ = average_head()
    labels = np.pad(labels, [(0, -n % 16) for n in labels.shape])
    where = np.stack([pool(share) / np.float32(8) for share in soft(labels, sigma=3.0)])
    return labels, where


def at_2mm(scene: Scene, contrast: dict[Tissue, float], bias: float = 0.0) -> tuple[Laid, Float32]:
    labels, where = scene
    field = np.exp(bias * np.linspace(-1, 1, labels.shape[1], dtype=np.float32))[:, None]
    image = normalise(render(labels, contrast) * field)
    laid = lay(coarse_image(image), where)
    assert laid is not None
    return laid, image


def mean_dice(scene: Scene, laid: Laid, image: Float32) -> float:
    found = complete(scene[1], laid, draw_edges(laid, image)).argmax(axis=0)
    tissues = [t for t in Tissue if t > Tissue.HEAD]
    return float(np.mean([dice(found == t, scene[0] == t) for t in tissues]))


@pytest.mark.parametrize("contrast", [T1W, T2W, FLAIR], ids=["T1w", "T2w", "FLAIR"])
def test_average_head_and_mixture_improve_on_the_network_in_any_contrast(scene: Scene, contrast: Contrast) -> None:
    laid, image = at_2mm(scene, contrast)
    alone = complete(scene[1], None, None).argmax(axis=0)
    network = float(np.mean([dice(alone == t, scene[0] == t) for t in Tissue if t > Tissue.HEAD]))
    assert mean_dice(scene, bend_prior(laid), image) > network + 0.03


def test_evening_out_finds_the_field_that_was_put_in(scene: Scene) -> None:
    laid, image = at_2mm(scene, T1W, bias=0.35)
    evened = even_out(laid)
    brain = laid.where[Tissue.WHITE] > 0.3
    place = np.broadcast_to(np.arange(brain.shape[1])[:, None], brain.shape)[brain]
    slope = np.polyfit(place, np.log(evened.field[brain]), 1)[0] / (0.7 / (scene[0].shape[1] // 2))
    assert 0.6 < slope < 1.2
    assert mean_dice(scene, evened, image) > mean_dice(scene, laid, image)


def test_a_bare_brain_has_no_head_and_a_whole_one_has(scene: Scene) -> None:
    labels, where = scene
    inside = np.isin(labels, INTRACRANIAL)
    bare = normalise(np.where(inside, render(labels, T1W, noise=0.0) + 1, 0).astype(np.float32))
    stripped = lay(coarse_image(bare), where)
    assert stripped is not None
    assert stripped.stripped
    assert not at_2mm(scene, T1W)[0].stripped
    found = complete(where, stripped, draw_edges(stripped, bare)).argmax(axis=0)[fine(stripped.box)]
    assert np.count_nonzero((found == Tissue.HEAD) & (bare[fine(stripped.box)] > 0)) < 0.01 * inside.sum()


def test_answer_holds_only_air_or_head_beyond_the_box(scene: Scene) -> None:
    laid, image = at_2mm(scene, T1W)
    whole = complete(scene[1], laid, draw_edges(laid, image))
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-4)
    outside = np.ones(whole.shape[1:], bool)
    outside[fine(laid.box)] = False
    assert not whole[Tissue.WHITE :, outside].any()
