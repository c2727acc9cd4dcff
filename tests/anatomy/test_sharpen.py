"""The edge network's input, and what becomes of its answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.anatomy.grids import coarse_image, fine, pool
from brainsift.anatomy.labels import N_TISSUES, Tissue
from brainsift.anatomy.laid import Laid
from brainsift.anatomy.normalise import normalise
from brainsift.anatomy.sharpen import sharpen
from brainsift.anatomy.stages import draw_edges, lay
from brainsift.anatomy.witnesses import (
    CHANNELS,
    FINE_CHANNELS,
    IMAGE_CHANNELS,
    LEAST,
    MULTIPLE_OF,
    TOLD_CHANNELS,
    box_around_brain,
    fold,
    hear,
    likelihoods,
)
from tests.anatomy.synthetic import T1W, average_head, render, soft

Float32 = NDArray[np.float32]
Scene = tuple[Laid, Float32, Float32]


@pytest.fixture(scope="module")
def scene() -> Scene:
    """The average head laid over an image of itself, that image, and the mixture's posterior."""
    labels, _ = average_head()
    labels = np.pad(labels, [(0, -n % 16) for n in labels.shape])
    where = np.stack([pool(share) / np.float32(8) for share in soft(labels, sigma=3.0)])
    image = normalise(render(labels, T1W))
    laid = lay(coarse_image(image), where)
    assert laid is not None
    return laid, image, draw_edges(laid, image)


def folded(field: Float32) -> Float32:
    """One field (X, Y, Z) as 8 channels."""
    x, y, z = field.shape
    result = np.empty((8, x // 2, y // 2, z // 2), np.float32)
    fold(field[None], result)
    return result


class Answers:
    """A session that gives the same logits to every voxel, and keeps what it was asked."""

    name = "image"

    def __init__(self, logits: list[float]) -> None:
        self.logits, self.asked = np.array(logits, np.float32), np.zeros(0, np.float32)

    def get_inputs(self) -> list[Answers]:
        return [self]

    def run(self, _: None, feed: dict[str, Any]) -> list[Float32]:
        (self.asked,) = feed.values()
        shape = [2 * n for n in self.asked.shape[2:]]
        return [np.broadcast_to(self.logits[None, :, None, None, None], (1, len(self.logits), *shape)).copy()]


def test_folding_puts_each_voxel_of_a_block_into_a_channel_of_its_own() -> None:
    fields = np.arange(2 * 4 * 2 * 6, dtype=np.float32).reshape(2, 4, 2, 6)
    folded = np.empty((16, 2, 1, 3), np.float32)
    fold(fields, folded)
    for channel, (i, j, k) in enumerate(np.ndindex(2, 2, 2)):
        np.testing.assert_array_equal(folded[8 + channel], fields[1, i::2, j::2, k::2])


def test_the_box_holds_the_brain_in_a_size_that_the_network_can_halve_twice(scene: Scene) -> None:
    laid, _, mixture = scene
    box = box_around_brain(laid, mixture)
    assert box is not None
    assert all((side.stop - side.start) % MULTIPLE_OF == 0 for side in box)
    inside = mixture[Tissue.WHITE :].sum(axis=0)
    assert inside[fine(box)].sum() > 0.995 * inside.sum()
    assert np.prod([s.stop - s.start for s in box]) < 0.7 * laid.where[0].size


def test_nothing_inside_the_skull_asks_nothing(scene: Scene) -> None:
    laid, image, mixture = scene
    nothing = np.zeros_like(mixture)
    nothing[Tissue.HEAD] = 1
    assert box_around_brain(laid, nothing) is None
    np.testing.assert_array_equal(sharpen(None, laid, image, nothing.copy()), nothing)


def test_the_network_hears_brightness_and_three_witnesses_in_logarithms(scene: Scene) -> None:
    laid, image, mixture = scene
    box = box_around_brain(laid, mixture)
    assert box is not None
    heard = hear(laid, image, mixture, box)
    assert heard.shape == (CHANNELS, *(s.stop - s.start for s in box))
    told = heard[IMAGE_CHANNELS:TOLD_CHANNELS]
    assert told.min() == -1
    assert told.max() < 1e-6
    white = np.clip(mixture[Tissue.WHITE][fine(box)], LEAST, 1)
    first = IMAGE_CHANNELS + 8 * Tissue.WHITE
    np.testing.assert_allclose(heard[first : first + 8], folded(np.log(white)) / -np.log(LEAST), atol=1e-5)
    network = heard[FINE_CHANNELS + N_TISSUES + Tissue.CEREBELLUM]
    wanted = np.clip(laid.where[Tissue.CEREBELLUM, *box], LEAST, 1)
    np.testing.assert_allclose(network, np.log(wanted) / -np.log(LEAST), atol=1e-5)
    bright = heard[:IMAGE_CHANNELS].mean(axis=0)
    assert bright[mixture[Tissue.WHITE][fine(box)][::2, ::2, ::2] > 0.9].mean() > bright.mean()


def test_brightness_alone_tells_tissues_apart_even_where_the_average_head_excludes_them(scene: Scene) -> None:
    laid, image, mixture = scene
    box = box_around_brain(laid, mixture)
    assert box is not None
    heard = hear(laid, image, mixture, box)
    corner = slice(0, heard.shape[1] // 2)
    heard[IMAGE_CHANNELS + 8 * Tissue.WHITE : IMAGE_CHANNELS + 8 * (Tissue.WHITE + 1), corner] = -1
    fits = np.empty((N_TISSUES, 8, *heard.shape[1:]), np.float32)
    likelihoods(heard[:FINE_CHANNELS], fits.reshape(-1, *heard.shape[1:]))
    white = folded(mixture[Tissue.WHITE][fine(box)]) > 0.9
    white[:, corner.stop :] = False
    assert white.sum() > 1000
    assert fits[Tissue.WHITE][white].mean() > -0.1
    assert fits[Tissue.CSF][white].mean() < -0.5
    assert fits.max() < 1e-6
    assert fits.min() >= -1


def test_the_answer_takes_the_place_of_the_mixture_in_the_box_alone(scene: Scene) -> None:
    laid, image, mixture = scene
    box = box_around_brain(laid, mixture)
    assert box is not None
    session = Answers([0.0] * 9 + [float(np.log(11))])
    result = sharpen(session, laid, image, mixture.copy())
    np.testing.assert_allclose(result[Tissue.CEREBELLUM][fine(box)], 0.55, atol=1e-5)
    np.testing.assert_allclose(result.sum(axis=0), 1, atol=1e-4)
    outside = np.ones(image.shape, bool)
    outside[fine(box)] = False
    np.testing.assert_array_equal(result[:, outside], mixture[:, outside])
    np.testing.assert_array_equal(session.asked[0], hear(laid, image, mixture, box))


def test_a_network_with_other_classes_is_refused(scene: Scene) -> None:
    laid, image, mixture = scene
    with pytest.raises(ValueError, match="10 classes, got 3"):
        sharpen(Answers([0.0] * 3), laid, image, mixture.copy())
