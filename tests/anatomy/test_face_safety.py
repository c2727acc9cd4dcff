"""What of a head may be shown."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from brainsift.anatomy.face_safety import blurred, dilate_ball, seen_region
from brainsift.anatomy.labels import Tissue
from tests.anatomy.heads import SHAPE, ball, head


@pytest.mark.parametrize("radius", [1, 3, 4])
def test_dilation_reaches_exactly_the_radius_and_does_not_wrap_round(radius: int) -> None:
    mask = np.random.default_rng(1).random((21, 17, 19)) > 0.998
    mask[0, 0, 0] = True
    distance = ndimage.distance_transform_edt(~mask)
    np.testing.assert_array_equal(dilate_ball(mask, radius), distance <= radius)


def test_without_a_brain_there_is_nothing_to_show() -> None:
    with pytest.raises(ValueError, match="no brain"):
        seen_region(head(brain=np.zeros(SHAPE, bool)))


def test_nothing_further_than_the_rim_from_the_intracranial_space_is_seen() -> None:
    anatomy = head()
    seen = seen_region(anatomy)
    inside = anatomy.brain | (anatomy.labels == Tissue.CSF)
    distance_mm = 2 * ndimage.distance_transform_edt(~inside)
    far = seen.crop(distance_mm, 0.0)
    assert far[seen.region].max() <= 8.0
    assert seen.region[far <= 8.0].all(), "the whole rim is seen"


def test_fluid_found_in_the_face_opens_no_window() -> None:
    labels = head().labels.copy()
    labels[36:44, 84:94, 20:30] = Tissue.CSF
    seen = seen_region(head(labels=labels))
    face = np.zeros(SHAPE, dtype=bool)
    face[36:44, 88:94, 20:28] = True
    assert not (seen.crop(face, False) & seen.region).any()


def test_a_brain_at_the_border_of_the_field_of_view_is_padded() -> None:
    seen = seen_region(head(brain=ball((40, 46, 85), (27, 34, 27))))
    assert seen.origin[2] + seen.region.shape[2] > SHAPE[2]


def test_blurring_leaves_nothing_finer_than_its_cells() -> None:
    image = np.random.default_rng(2).random((50, 48, 31)).astype(np.float32)
    cells = blurred(image, cell_mm=24.0)
    assert cells.shape == (5, 4, 3)
    assert cells[1, 2, 0] == pytest.approx(image[12:24, 24:36, :12].mean(), rel=1e-5)
    assert cells[4, 3, 2] == pytest.approx(image[48:, 36:, 24:].mean(), rel=1e-5)
