from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.simulate.artefacts.gadolinium import Enhanced, Gadolinium, apply_gadolinium, draw_gadolinium
from tests.simulate.phantom import phantom_labels

AGENT = Gadolinium(2.0, 1.0, 1.5, 1.5, 1.0, 1.5, 0.2, 5)
SPACING_MM = (2.0, 2.0, 2.0)
WHITE = 0.8


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int32]:
    return phantom_labels()


@pytest.fixture(scope="module")
def image(labels: NDArray[np.int32]) -> NDArray[np.float32]:
    image = np.where(np.isin(labels, (2, 41)), WHITE, 0.4).astype(np.float32)
    image[labels == 24] = 0.1
    image[labels == 0] = 0
    return image


@pytest.fixture(scope="module")
def enhanced(image: NDArray[np.float32], labels: NDArray[np.int32]) -> Enhanced:
    return apply_gadolinium(image, labels, AGENT, SPACING_MM)


def test_nothing_gets_darker_and_white_matter_keeps_its_brightness(
    enhanced: Enhanced, image: NDArray[np.float32], labels: NDArray[np.int32]
) -> None:
    assert (enhanced.image >= image).all()
    white = np.isin(labels, (2, 41))
    assert np.median(enhanced.image[white]) == pytest.approx(WHITE)
    assert enhanced.image.max() <= AGENT.vessels * WHITE * 1.01


def test_vessels_and_dura_shine_around_the_brain_and_not_in_it(
    enhanced: Enhanced, image: NDArray[np.float32], labels: NDArray[np.int32]
) -> None:
    gained = enhanced.image - image > 0.1 * WHITE
    assert gained[labels == 24].mean() > 0.03
    assert gained[np.isin(labels, (2, 41))].mean() < 0.01
    assert enhanced.enhanced_ml == pytest.approx(gained[(labels > 0) & (labels < 500)].sum() * 8 / 1000)


def test_labelled_choroid_plexus_takes_the_agent_up(image: NDArray[np.float32], labels: NDArray[np.int32]) -> None:
    with_plexus = labels.copy()
    ventricle = np.argwhere(labels == 4)
    x, y, z = ventricle[len(ventricle) // 2]
    with_plexus[x - 1 : x + 2, y - 1 : y + 2, z - 1 : z + 2] = 31
    agent = apply_gadolinium(image, with_plexus, AGENT, SPACING_MM)
    assert agent.image[x, y, z] == pytest.approx(AGENT.choroid * WHITE, rel=0.1)


def test_the_same_agent_gives_the_same_image(image: NDArray[np.float32], labels: NDArray[np.int32]) -> None:
    drawn = draw_gadolinium(np.random.default_rng(3))
    assert drawn == draw_gadolinium(np.random.default_rng(3))
    first, second = (apply_gadolinium(image, labels, drawn, SPACING_MM).image for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_wrong_labels_are_refused(image: NDArray[np.float32], labels: NDArray[np.int32]) -> None:
    with pytest.raises(ValueError, match="shape"):
        apply_gadolinium(image, labels[1:], AGENT, SPACING_MM)
    with pytest.raises(ValueError, match="white matter"):
        apply_gadolinium(image, np.zeros_like(labels), AGENT, SPACING_MM)
