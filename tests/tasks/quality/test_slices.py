"""Slices: where they lie, that nothing is smoothed that need not be, and that grey values become comparable."""

import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.tasks.quality.slices import COLUMNS, PER_AXIS, ROWS, brain_box, cut_slices, foreground_box, slices_of

from .volumes import ball, make_volume

SHAPE = (80, 90, 84)
BOX = np.array([[10.0, 15.0, 12.0], [69.0, 74.0, 71.0]])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_values_at_the_end_of_their_range_leave_numbers() -> None:
    data = ball(SHAPE, 30)
    data[::7, ::5, ::3] = np.float32(3.3e38)
    data[::5, ::7, ::4] = np.float32(-3.3e38)
    pixels = slices_of(make_volume(data, (2.0, 2.0, 2.5)), None).pixels
    assert np.isfinite(pixels).all()


def test_eight_slices_per_orientation_spread_over_the_box() -> None:
    slices = cut_slices(ball(SHAPE, 30), (1, 1, 1), BOX)
    assert slices.pixels.shape == (24, ROWS, COLUMNS)
    assert slices.axes.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    for axis in range(3):
        indices = slices.indices[PER_AXIS * axis : PER_AXIS * (axis + 1)]
        assert (np.diff(indices) > 5).all()
        assert indices[0] > BOX[0, axis]
        assert indices[-1] < BOX[1, axis]


def test_a_scan_of_1_mm_is_copied_pixel_for_pixel() -> None:
    rng = np.random.default_rng(0)
    data = rng.uniform(1, 2, SHAPE).astype(np.float32)
    slices = cut_slices(data, (1, 1, 1), BOX)
    axial = slices.pixels[-1, 112 - 44 : 112 - 44 + 90, 96 - 40 : 96 - 40 + 80] ** 2
    wanted = data[:, :, slices.indices[-1]].T
    assert np.corrcoef(axial.ravel(), wanted.ravel())[0, 1] > 0.9999


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (0.8, 0.8, 3.0)])
def test_a_ball_has_its_size_in_millimetres_whatever_the_voxels(spacing: tuple[float, float, float]) -> None:
    shape = tuple(int(100 / s) for s in spacing)
    axes = np.meshgrid(*((np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij")
    data = np.where(sum(a * a for a in axes) <= 30**2, np.float32(1), np.float32(0))
    slices = slices_of(make_volume(data, spacing), None)
    for axis in range(3):
        widest = slices.pixels[PER_AXIS * axis : PER_AXIS * (axis + 1)].max(axis=0) > 0.3
        assert widest.any(axis=1).sum() == pytest.approx(60, abs=4)
        assert widest.any(axis=0).sum() == pytest.approx(60, abs=4)


def test_rows_run_front_to_back_in_axial_and_up_in_coronal_slices() -> None:
    data = ball(SHAPE, 30)
    data[:, 70:, :] *= 2  # bright in front
    data[:, :, 70:] *= 3  # bright above
    pixels = cut_slices(data, (1, 1, 1), BOX).pixels
    axial, coronal, sagittal = pixels[20], pixels[12], pixels[4]
    assert axial[112 + 27].max() > axial[112 - 27].max()
    assert coronal[112 + 29].max() > coronal[112 - 29].max()
    assert sagittal[112 + 27].max() > sagittal[112 - 27].max()
    assert sagittal[:, 96 + 29].max() > sagittal[:, 96 - 27].max()


@pytest.mark.parametrize(("factor", "offset"), [(0.01, 0), (50, 0), (1, -1000), (3, -20)])
def test_unit_and_offset_of_the_grey_values_do_not_matter(factor: float, offset: float) -> None:
    data = ball(SHAPE, 30) + np.random.default_rng(0).uniform(0, 20, SHAPE).astype(np.float32)
    once = cut_slices(data, (1, 1, 1), BOX).pixels
    again = cut_slices((factor * data + offset).astype(np.float32), (1, 1, 1), BOX).pixels
    assert np.abs(once - again).max() < 0.02


def test_noise_stays_as_strong_as_it_is() -> None:
    rng = np.random.default_rng(0)
    clean = ball(SHAPE, 30)
    spreads = []
    for sigma in (2.0, 8.0):
        noisy = np.abs(clean + sigma * rng.standard_normal(SHAPE).astype(np.float32))
        spreads.append(float(cut_slices(noisy, (1, 1, 1), BOX).pixels[18:22, 102:122, 86:106].std()))
    assert spreads[1] == pytest.approx(4 * spreads[0], rel=0.1)


def test_a_brighter_rim_of_fat_does_not_darken_the_brain() -> None:
    plain, fat = ball(SHAPE, 30), ball(SHAPE, 30)
    fat[ball(SHAPE, 36) > 0] += 400 * (ball(SHAPE, 34)[ball(SHAPE, 36) > 0] == 0)
    middle = (20, 112, 96)
    assert cut_slices(fat, (1, 1, 1), BOX).pixels[middle] == pytest.approx(
        float(cut_slices(plain, (1, 1, 1), BOX).pixels[middle]), abs=0.03
    )


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_an_empty_or_constant_scan_gives_black_slices(value: float) -> None:
    slices = slices_of(make_volume(np.full((30, 30, 30), value, np.float32)), None)
    assert slices.pixels.max() == 0


def test_outside_the_field_of_view_is_black() -> None:
    slices = cut_slices(
        np.full((40, 40, 40), 5, np.float32) + ball((40, 40, 40), 10), (1, 1, 1), np.array([[5.0] * 3, [34.0] * 3])
    )
    assert (slices.pixels[20, : 112 - 22] == 0).all()


def test_a_single_slice_and_a_scan_larger_than_the_picture_are_taken() -> None:
    assert slices_of(make_volume(ball((50, 50, 1), 20)), None).pixels.shape == (24, ROWS, COLUMNS)
    assert slices_of(make_volume(ball((60, 300, 60), 25)), None).pixels.shape == (24, ROWS, COLUMNS)


def make_anatomy(brain: np.ndarray, affine: np.ndarray, has_brain: bool = True) -> Anatomy:
    return Anatomy(
        labels=brain.astype(np.uint8) * 2,
        affine=affine,
        image=brain.astype(np.float32),
        brain=brain,
        volumes_ml={},
        brain_ml=0.0,
        icv_ml=0.0,
        outside_fov=0.0,
        to_mni=None,
        mni_residual_mm=None,
        confidence=1.0,
        has_brain=has_brain,
        model_id="none",
        model_sha256="0",
    )


def test_the_brain_box_is_found_on_the_scan_s_own_grid() -> None:
    brain = ball((40, 45, 42), 12) > 0  # voxels of 2 mm
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    volume = make_volume(np.zeros((100, 90, 28), np.float32), (0.8, 1.0, 3.0))
    box = brain_box(volume, make_anatomy(brain, affine))
    assert box is not None
    size_mm = (box[1] - box[0]) * np.array([0.8, 1.0, 3.0])
    assert size_mm == pytest.approx([46, 44, 46], abs=3)


def test_without_a_brain_the_foreground_is_centred_on() -> None:
    data = np.zeros((100, 60, 60), np.float32)
    data[60:90, 15:45, 15:45] = 9
    anatomy = make_anatomy(np.zeros((30, 30, 30), bool), np.eye(4), has_brain=False)
    assert brain_box(make_volume(data), anatomy) is None
    box = foreground_box(data)
    assert box[:, 0].tolist() == pytest.approx([60, 89], abs=1)
    centred = slices_of(make_volume(data), anatomy).pixels[20]
    assert centred[112, 96] > 0.3
