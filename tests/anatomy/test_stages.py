"""The stages of the anatomy pass, one by one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.anatomy.grids import coarse_image, fine, pool
from brainsift.anatomy.labels import INTRACRANIAL, N_TISSUES, Tissue
from brainsift.anatomy.laid import Laid
from brainsift.anatomy.network import network_alone
from brainsift.anatomy.normalise import normalise
from brainsift.anatomy.stages import bend_prior, draw_edges, even_out, lay, may_lie_inside
from tests.anatomy.synthetic import FLAIR, T1W, T2W, average_head, dice, render, soft

Float32 = NDArray[np.float32]
Scene = tuple[NDArray[np.uint8], Float32]
Contrast = dict[Tissue, float]


def test_voxels_that_the_average_head_puts_inside_are_worked_on_with_some_around_them() -> None:
    inside = np.zeros((20, 20, 20), np.float32)
    inside[8:12, 8:12, 8:12] = 1
    where = np.zeros((N_TISSUES, 20, 20, 20), np.float32)
    where[Tissue.HEAD] = 1
    mask = may_lie_inside(inside, where)
    assert mask[inside > 0].all()
    assert mask[6, 10, 10]
    assert not mask[4, 10, 10]


def test_the_network_alone_puts_nothing_inside_the_skull() -> None:
    where = np.zeros((N_TISSUES, 20, 20, 20), np.float32)
    where[Tissue.WHITE] = 1
    assert not may_lie_inside(np.zeros((20, 20, 20), np.float32), where).any()


def test_what_is_surely_air_stays_out() -> None:
    where = np.zeros((N_TISSUES, 20, 20, 20), np.float32)
    where[Tissue.BACKGROUND] = 1
    assert not may_lie_inside(np.ones((20, 20, 20), np.float32), where).any()


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
    found = draw_edges(laid, image).argmax(axis=0)
    tissues = [t for t in Tissue if t > Tissue.HEAD]
    return float(np.mean([dice(found == t, scene[0] == t) for t in tissues]))


@pytest.mark.parametrize("contrast", [T1W, T2W, FLAIR], ids=["T1w", "T2w", "FLAIR"])
def test_average_head_and_mixture_improve_on_the_network_in_any_contrast(scene: Scene, contrast: Contrast) -> None:
    laid, image = at_2mm(scene, contrast)
    alone = network_alone(scene[1]).argmax(axis=0)
    network = float(np.mean([dice(alone == t, scene[0] == t) for t in Tissue if t > Tissue.HEAD]))
    assert mean_dice(scene, bend_prior(laid), image) > network + 0.03


def test_evening_out_finds_the_field_that_was_put_in(scene: Scene) -> None:
    laid, image = at_2mm(scene, T1W, bias=0.35)
    evened = even_out(laid)
    brain = laid.where[Tissue.WHITE, *laid.box] > 0.3
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
    found = draw_edges(stripped, bare).argmax(axis=0)[fine(stripped.box)]
    assert np.count_nonzero((found == Tissue.HEAD) & (bare[fine(stripped.box)] > 0)) < 0.01 * inside.sum()


def test_answer_holds_only_air_or_head_beyond_the_box(scene: Scene) -> None:
    laid, image = at_2mm(scene, T1W)
    whole = draw_edges(laid, image)
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-4)
    outside = np.ones(whole.shape[1:], bool)
    outside[fine(laid.box)] = False
    assert not whole[Tissue.WHITE :, outside].any()
