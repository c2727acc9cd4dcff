"""Masks small enough to count by hand."""

import math

import numpy as np
import pytest

from brainsift.evaluate.segmentation.masks import as_mask
from brainsift.evaluate.segmentation.overlap import dice, volume_difference_percent, volume_ml
from brainsift.evaluate.segmentation.scan import score_masks
from brainsift.evaluate.segmentation.surface import hausdorff_mm

EMPTY = np.zeros((6, 6, 6), bool)


def block(*box: slice, shape: tuple[int, int, int] = (6, 6, 6)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[box] = True
    return mask


def test_two_shifted_blocks_have_the_figures_counted_by_hand() -> None:
    """2x2x2 voxels each, one column apart along y: they share 4 of 8 voxels."""
    reference = block(slice(1, 3), slice(1, 3), slice(1, 3))
    result = block(slice(1, 3), slice(2, 4), slice(1, 3))
    scores = score_masks(reference, result, (1.0, 2.0, 3.0))
    assert scores.dice == pytest.approx(2 * 4 / (8 + 8))
    assert scores.reference_ml == scores.result_ml == pytest.approx(8 * 6 / 1000)
    assert scores.avd_percent == 0
    assert scores.hd95_mm == pytest.approx(2.0)  # half of either surface lies one voxel of 2 mm away
    assert (scores.lesion_recall, scores.lesion_precision, scores.lesion_f1) == (1, 1, 1)


def test_hd95_is_measured_in_mm_along_each_axis() -> None:
    reference, result = block(slice(0, 1), slice(0, 1), slice(0, 1)), block(slice(3, 4), slice(0, 1), slice(4, 5))
    assert hausdorff_mm(reference, result, (1.0, 1.0, 1.0)) == pytest.approx(5.0)
    assert hausdorff_mm(reference, result, (2.0, 1.0, 0.5)) == pytest.approx(math.hypot(6, 2))


def test_hd95_is_symmetric_and_takes_the_worse_direction() -> None:
    """The reference lies within the result, so its own distances are 0; the result's far voxel is 4 away."""
    reference = block(slice(0, 1), slice(0, 1), slice(0, 1))
    result = reference | block(slice(4, 5), slice(0, 1), slice(0, 1))
    expected = np.percentile([0.0, 4.0], 95)
    assert hausdorff_mm(reference, result, (1, 1, 1)) == pytest.approx(expected)
    assert hausdorff_mm(result, reference, (1, 1, 1)) == pytest.approx(expected)


def test_inside_of_a_block_is_not_surface() -> None:
    """A 5x5x5 block and its shell have one surface; the block's middle voxel lies two voxels below it."""
    solid = block(slice(0, 5), slice(0, 5), slice(0, 5))
    shell = solid & ~block(slice(1, 4), slice(1, 4), slice(1, 4))
    assert hausdorff_mm(solid, shell, (1, 1, 1)) == 0
    middle = block(slice(2, 3), slice(2, 3), slice(2, 3))
    assert hausdorff_mm(middle, solid, (1, 1, 1), percentile=0) == 2


def test_lesions_touching_by_a_corner_are_one_and_any_overlap_detects() -> None:
    """Reference: a pair of voxels that share a corner (one lesion) and a single one far off. The result hits one voxel
    of the pair and has one lesion where there is none."""
    reference = np.zeros((8, 8, 8), np.uint8)
    reference[1, 1, 1] = reference[2, 2, 2] = reference[6, 6, 6] = 1
    result = np.zeros((8, 8, 8), np.uint8)
    result[2, 2, 2] = result[2, 2, 3] = result[5, 1, 1] = 1
    scores = score_masks(reference, result, (1, 1, 1))
    assert (scores.reference_lesions, scores.result_lesions) == (2, 2)
    assert scores.lesion_recall == 0.5
    assert scores.lesion_precision == 0.5
    assert scores.lesion_f1 == 0.5
    assert scores.dice == pytest.approx(2 * 1 / (3 + 3))


def test_one_result_over_two_lesions_finds_both_and_is_one_true_lesion() -> None:
    reference = block(slice(0, 1), slice(0, 1), slice(0, 1)) | block(slice(4, 5), slice(0, 1), slice(0, 1))
    scores = score_masks(reference, block(slice(0, 5), slice(0, 1), slice(0, 1)), (1, 1, 1))
    assert (scores.lesion_recall, scores.lesion_precision) == (1, 1)
    assert scores.avd_percent == pytest.approx(150)


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int16, np.int64, np.float32, np.float64])
def test_masks_of_every_kind_are_read_alike(kind: type) -> None:
    """The public script compares integers with 0.5 cut to 0 and counts the background of an integer mask."""
    reference, result = block(slice(1, 3), slice(1, 3), slice(1, 3)), block(slice(2, 4), slice(1, 3), slice(1, 3))
    assert score_masks(reference.astype(kind), result.astype(kind), (1, 1, 1)) == score_masks(
        reference, result, (1, 1, 1)
    )


def test_other_labels_count_and_fractions_from_one_half_on() -> None:
    assert as_mask(np.array([[[0, 1, 2, 255]]])).tolist() == [[[False, True, True, True]]]
    assert as_mask(np.array([[[0.0, 0.4, 0.6, 1.0]]])).tolist() == [[[False, False, True, True]]]


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros((2, 2)), "three dimensions"),
        (np.full((2, 2, 2), np.nan), "NaN"),
        (np.full((2, 2, 2), -3.0), "logits"),
    ],
)
def test_what_is_no_mask_is_refused(array: np.ndarray, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        as_mask(array)


def test_masks_on_two_grids_are_refused() -> None:
    with pytest.raises(ValueError, match="one grid"):
        score_masks(EMPTY, np.zeros((6, 6, 7), bool), (1, 1, 1))


SOME = block(slice(1, 2), slice(1, 2), slice(1, 3))


@pytest.mark.parametrize(
    ("reference", "result", "expected"),
    [
        # (dice, hd95, avd, recall, precision, f1); None is undefined
        (EMPTY, EMPTY, (None, None, None, None, None, None)),
        (EMPTY, SOME, (0.0, None, None, None, 0.0, 0.0)),
        (SOME, EMPTY, (0.0, None, 100.0, 0.0, None, 0.0)),
    ],
    ids=["both empty", "no lesion in the reference", "nothing found"],
)
def test_empty_masks_give_the_figures_that_are_written_down(
    reference: np.ndarray, result: np.ndarray, expected: tuple[float | None, ...]
) -> None:
    s = score_masks(reference, result, (1, 1, 1))
    got = (s.dice, s.hd95_mm, s.avd_percent, s.lesion_recall, s.lesion_precision, s.lesion_f1)
    assert [None if math.isnan(v) else v for v in got] == list(expected)


def test_volumes_count_voxels_of_any_size() -> None:
    assert volume_ml(SOME, (2.0, 2.0, 2.5)) == pytest.approx(0.02)
    assert volume_difference_percent(4.0, 3.0) == pytest.approx(25)
    assert math.isnan(volume_difference_percent(0.0, 3.0))
    assert dice(SOME, SOME) == 1
