"""Pictures of single slices: the right slice, at its own resolution, and never a face."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.pictures import FILL
from brainsift.anatomy.slice_pictures import (
    CAPTION_ROWS,
    MAX_BYTES,
    PIXEL_MM,
    ShownSlice,
    encode_picture,
    picture_slices,
)
from tests.anatomy.heads import SHAPE, ball, head
from tests.anatomy.test_pictures import NOSE, finer

EACH = (ShownSlice(0, 80, "motion"), ShownSlice(1, 90, "noise"), ShownSlice(2, 104, "contrast"))
"""Slices of the finer head, through its ventricles."""


def drawn(anatomy: Anatomy, image: np.ndarray, shown: tuple[ShownSlice, ...] = EACH) -> np.ndarray:
    picture = picture_slices(finer(image), anatomy, shown)
    assert picture is not None
    return picture


@pytest.mark.parametrize("shown", EACH)
def test_whatever_lies_outside_the_skull_changes_no_pixel(shown: ShownSlice) -> None:
    anatomy = head()
    outside = ~ball((40, 46, 52), (40, 48, 40))
    nosy = np.where(NOSE | outside, np.float32(30_000), anatomy.image)
    assert (finer(nosy).data != finer(anatomy.image).data).any(axis=tuple(a for a in range(3) if a != shown.axis))[
        shown.index
    ], "this slice must meet what is to be hidden"
    np.testing.assert_array_equal(drawn(anatomy, anatomy.image, (shown,)), drawn(anatomy, nosy, (shown,)))


@pytest.mark.parametrize("value", [0.0, -3e38, 3e38])
def test_a_constant_scan_gives_a_picture(value: float) -> None:
    assert drawn(head(), np.full(SHAPE, value, dtype=np.float32)).std() < 80


def test_what_lies_inside_the_skull_is_shown() -> None:
    anatomy = head()
    spot = np.where(ball((30, 30, 52), (3, 3, 3)), np.float32(30_000), anatomy.image)
    changed = drawn(anatomy, anatomy.image, EACH[2:]) != drawn(anatomy, spot, EACH[2:])
    assert changed[CAPTION_ROWS:].any()


@pytest.mark.parametrize("axis", [1, 2])
def test_the_patients_right_is_on_the_left_of_the_picture(axis: int) -> None:
    anatomy = head()
    right = (55, 45, 52)  # RAS: beyond the middle, 40
    image = np.where(ball(right, (4, 4, 4)), np.float32(0), np.where(anatomy.brain, np.float32(100), np.float32(0)))
    drawn_right = drawn(anatomy, image, (ShownSlice(axis, 2 * right[axis], "motion"),))[CAPTION_ROWS + 14 :]
    columns = np.flatnonzero((drawn_right < 10).sum(axis=0) > 8)
    assert columns.size
    assert columns.mean() < drawn_right.shape[1] / 2


def test_a_slice_is_the_scans_own_and_not_its_neighbour() -> None:
    anatomy = head()
    striped = finer(anatomy.image).data.copy()
    striped[:, :, 105] = 0
    volume = finer(anatomy.image)
    object.__setattr__(volume, "data", striped)
    for index, dark in ((104, False), (105, True)):
        picture = picture_slices(volume, anatomy, (ShownSlice(2, index, "noise"),))
        assert picture is not None
        assert (np.ptp(picture[CAPTION_ROWS + 14 :].astype(int)) < 64) == dark


def test_voxels_become_square_pixels_of_a_fixed_size() -> None:
    anatomy = head()
    picture = drawn(anatomy, anatomy.image, EACH[2:])
    height_mm = (picture.shape[0] - CAPTION_ROWS) * PIXEL_MM
    # Fluid reaches 36 voxels of 2 mm to front and back, the rim 8 mm further.
    assert height_mm == pytest.approx(2 * (72 + 8), abs=8)


def test_without_a_brain_or_a_slice_that_meets_it_there_is_no_picture() -> None:
    anatomy = head()
    volume = finer(anatomy.image)
    assert picture_slices(volume, head(has_brain=False), EACH) is None
    assert picture_slices(volume, head(brain=np.zeros(SHAPE, dtype=bool)), EACH) is None
    assert picture_slices(volume, anatomy, (ShownSlice(2, 0, "motion"), ShownSlice(2, 9999, "noise"))) is None


def test_slices_that_the_scan_does_not_have_are_left_out() -> None:
    anatomy = head()
    both = drawn(anatomy, anatomy.image, (EACH[2], ShownSlice(1, -1, "noise")))
    np.testing.assert_array_equal(both, drawn(anatomy, anatomy.image, EACH[2:]))


def test_an_oblique_scan_is_masked_where_its_own_slice_lies() -> None:
    anatomy = head()
    volume = finer(anatomy.image)
    turn, angle = np.eye(4), np.radians(20)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    middle = np.eye(4)
    middle[:3, 3] = (80, 92, 104)
    turned = middle @ turn @ np.linalg.inv(middle) @ volume.affine
    object.__setattr__(volume, "affine", turned)
    picture = picture_slices(volume, anatomy, (EACH[0],))
    assert picture is not None
    voxels = np.argwhere(np.ones(volume.shape[1:], dtype=bool))
    at = np.c_[np.full(len(voxels), 80), voxels, np.ones(len(voxels))] @ (np.linalg.inv(anatomy.affine) @ turned).T
    inside = ball((40, 46, 52), (33.5, 40.5, 33.5))
    where = np.clip(np.rint(at[:, :3]).astype(int), 0, np.array(SHAPE) - 1)
    allowed = inside[tuple(where.T)]
    hidden = volume.data.copy()
    hidden[80].reshape(-1)[~allowed] = 30_000
    loud = finer(anatomy.image)
    object.__setattr__(loud, "affine", turned)
    object.__setattr__(loud, "data", hidden)
    np.testing.assert_array_equal(picture, picture_slices(loud, anatomy, (EACH[0],)))


def test_a_file_is_small_even_for_noise_and_holds_pixels_alone() -> None:
    anatomy = head()
    rng = np.random.default_rng(0)
    noise = rng.normal(100, 60, SHAPE).astype(np.float32)
    picture = drawn(anatomy, noise)
    data = encode_picture(picture)
    assert len(data) <= MAX_BYTES
    opened = Image.open(BytesIO(data))
    assert opened.format == "WEBP"
    assert opened.size == picture.shape[::-1]
    assert not opened.getexif()
    assert np.median(picture) != FILL
