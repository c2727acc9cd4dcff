"""Mosaics: what they show, where, and what they never show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brainsift.anatomy.pictures import MAX_BYTES, OUTLINES, render_mosaic, write_mosaic
from brainsift.scans.volume import InputGrid, ReadFacts, Volume
from tests.anatomy.heads import AFFINE, ball, head

NOSE = ball((40, 95, 25), (6, 5, 8))
"""In front of and below the brain, 26 mm from it."""


def colour_of(name: str) -> tuple[int, int, int]:
    return next(outline.colour for outline in OUTLINES if outline.name == name)


def drawn(outlines: np.ndarray, name: str) -> np.ndarray:
    return (outlines == (*colour_of(name), 255)).all(axis=2)


def as_volume(image: np.ndarray, affine: np.ndarray) -> Volume:
    grid = InputGrid(image.shape, affine, (0, 1, 2), (False, False, False))
    return Volume(image.astype(np.float32), affine, grid, ReadFacts("nifti1", "int16", image.shape, "0" * 64))


def finer(image: np.ndarray) -> Volume:
    """The same head on a 1 mm grid."""
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = -0.5
    return as_volume(image.repeat(2, 0).repeat(2, 1).repeat(2, 2), affine)


def test_a_bright_nose_changes_no_pixel_of_the_picture() -> None:
    anatomy = head()
    with_nose = head(image=np.where(NOSE, np.float32(30_000), anatomy.image))
    np.testing.assert_array_equal(render_mosaic(anatomy).plain, render_mosaic(with_nose).plain)


def test_a_bright_nose_changes_no_pixel_of_the_picture_made_from_the_scan_itself() -> None:
    anatomy = head()
    image = np.where(NOSE, np.float32(30_000), anatomy.image)
    plain = render_mosaic(anatomy, volume=finer(anatomy.image)).plain
    np.testing.assert_array_equal(plain, render_mosaic(anatomy, volume=finer(image)).plain)


def test_what_lies_in_the_crop_and_outside_the_skull_shows_only_when_asked_for() -> None:
    corner = ball((40, 80, 28), (8, 4, 4))
    plain, bright = head(), head(image=np.where(corner, np.float32(30_000), head().image))
    hidden = render_mosaic(plain).plain, render_mosaic(bright).plain
    shown = render_mosaic(plain, hide_face=False).plain, render_mosaic(bright, hide_face=False).plain
    assert (hidden[0] == hidden[1]).all()
    assert (shown[0] != shown[1]).any()


def test_without_a_brain_no_detail_is_left_whatever_is_asked_for() -> None:
    # Checkerboards of opposite phase have the same mean in each 24 mm cell and nothing else in common.
    board = np.indices((72, 96, 84)).sum(axis=0) % 2 * 100.0
    lost = {"has_brain": False, "brain": np.zeros(board.shape, dtype=bool)}
    one = head(image=board.astype(np.float32), **lost)
    two = head(image=(100 - board).astype(np.float32), **lost)
    np.testing.assert_array_equal(
        render_mosaic(one, hide_face=False).plain, render_mosaic(two, hide_face=False, volume=finer(board)).plain
    )
    assert not render_mosaic(one).outlines.any()


def test_the_outline_of_a_cube_is_its_square_in_each_slice_that_cuts_it() -> None:
    pixels = drawn(render_mosaic(head()).outlines, "ventricles")
    perimeter = 4 * (2 * 10) - 4
    assert pixels.sum() >= 3 * perimeter
    assert pixels.sum() % perimeter == 0


def test_outlines_are_drawn_only_for_what_is_there() -> None:
    outlines = render_mosaic(head()).outlines
    assert drawn(outlines, "brain").any()
    assert drawn(outlines, "white matter and cortex border").any()
    assert not drawn(outlines, "cerebellum").any()


def test_the_outlines_lie_on_the_picture_pixel_for_pixel() -> None:
    mosaic = render_mosaic(head())
    assert mosaic.outlines.shape == (*mosaic.plain.shape, 4)
    untouched = mosaic.outlines[:, :, 3] == 0
    np.testing.assert_array_equal(mosaic.outlined()[untouched], mosaic.plain[untouched][:, None].repeat(3, axis=1))


@pytest.mark.parametrize(("convention", "side"), [("radiological", 1), ("neurological", 0)])
def test_the_patients_left_is_where_the_convention_puts_it(convention: str, side: int) -> None:
    left_eye_of_the_brain = ball((25, 46, 52), (5, 5, 5))
    anatomy = head(image=np.where(left_eye_of_the_brain, np.float32(2_000), head().image))
    plain = render_mosaic(anatomy, convention=convention).plain  # type: ignore[arg-type]
    width = plain.shape[1] // 7
    tile = plain[: plain.shape[0] // 3, 3 * width : 4 * width]
    halves = tile[:, : width // 2], tile[:, width // 2 :]
    assert (halves[side] > 240).sum() > 20 + (halves[1 - side] > 240).sum()


def test_the_front_is_up_in_the_axial_row() -> None:
    anatomy = head(image=np.where(ball((40, 72, 52), (4, 4, 20)), np.float32(2_000), head().image))
    plain = render_mosaic(anatomy).plain
    width, height = plain.shape[1] // 7, 2 * 86
    tile = plain[:height, 3 * width : 4 * width]
    assert (tile[: height // 2] > 240).sum() > 20
    assert (tile[height // 2 :] > 240).sum() == 0


def test_the_picture_from_the_scan_itself_shows_the_same_head() -> None:
    anatomy = head()
    coarse, fine = render_mosaic(anatomy).plain, render_mosaic(anatomy, volume=finer(anatomy.image)).plain
    assert np.corrcoef(coarse.ravel(), fine.ravel())[0, 1] > 0.98


def test_an_oblique_scan_is_shown_on_the_working_grid() -> None:
    anatomy = head()
    oblique = AFFINE.copy()
    oblique[0, 1] = 0.4
    shown = render_mosaic(anatomy, volume=as_volume(anatomy.image * 0, oblique)).plain
    np.testing.assert_array_equal(shown, render_mosaic(anatomy).plain)


@pytest.mark.parametrize("value", [0.0, 7.0, -3e38, 3e38])
@pytest.mark.parametrize("has_brain", [True, False])
def test_a_constant_scan_gives_a_picture(value: float, has_brain: bool) -> None:
    constant = head(image=np.full(head().image.shape, value, dtype=np.float32), has_brain=has_brain)
    assert render_mosaic(constant).plain.std() < 40


def test_a_slab_of_two_slices_gives_a_picture() -> None:
    whole, cut = head(), np.s_[:, :, 50:52]
    slab = head(labels=whole.labels[cut], image=whole.image[cut], brain=whole.brain[cut])
    assert min(render_mosaic(slab).plain.shape) > 50


def test_files_are_small_even_for_noise_and_open_as_webp(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    noisy = head(image=rng.normal(0, 100, head().image.shape).astype(np.float32))
    volume = finer(noisy.image)
    speckled = as_volume(rng.normal(0, 100, volume.shape), volume.affine)
    plain, outlines = tmp_path / "new" / "plain.webp", tmp_path / "new" / "outlines.webp"
    write_mosaic(noisy, plain, outlines, volume=speckled)
    assert plain.stat().st_size <= MAX_BYTES
    assert outlines.stat().st_size <= MAX_BYTES
    with Image.open(plain) as one, Image.open(outlines) as two:
        assert (one.format, two.format) == ("WEBP", "WEBP")
        assert one.size == two.size
        assert two.mode == "RGBA"
