"""Marks from masks and points, and which of them hits what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsift.evaluate.detection.marks import marks_of_mask, marks_of_points
from brainsift.evaluate.detection.match import match_marks
from brainsift.evaluate.detection.points import PointsError, read_points

AFFINE = np.diag([0.5, 0.5, 2.0, 1.0])
AFFINE[:3, 3] = (-10, 0, 5)


def mask(*boxes: tuple[slice, slice, slice], numbered: bool = False) -> np.ndarray:
    array = np.zeros((40, 40, 12), np.uint8)
    for number, box in enumerate(boxes, start=1):
        array[box] = number if numbered else 1
    return array


def test_pieces_of_a_mask_are_marks_in_mm_with_the_ball_s_diameter() -> None:
    marks = marks_of_mask(mask(np.s_[10:12, 4:6, 3:4], np.s_[30:31, 30:31, 8:9]), AFFINE)
    np.testing.assert_allclose(marks.mm, [[-10 + 10.5 / 2, 4.5 / 2, 11.0], [5.0, 15.0, 21.0]])
    np.testing.assert_allclose(marks.diameter_mm, np.cbrt(6 / np.pi * np.array([2.0, 0.5])))
    np.testing.assert_array_equal(marks.score, 1)


def test_numbered_lesions_that_touch_are_two_and_keep_their_scores() -> None:
    touching = mask(np.s_[10:12, 4:6, 3:4], np.s_[12:14, 4:6, 3:4], numbered=True)
    assert len(marks_of_mask(touching > 0, AFFINE)) == 1
    for numbers in (touching, touching.astype(np.float32)):
        marks = marks_of_mask(numbers, AFFINE, score_of=[0.3, 0.9])
        assert marks.score.tolist() == [0.3, 0.9]
    with pytest.raises(ValueError, match="holds number 2, but 1 scores"):
        marks_of_mask(touching, AFFINE, score_of=[0.3])


def test_an_empty_mask_has_no_marks() -> None:
    assert len(marks_of_mask(mask(), AFFINE)) == 0


@pytest.mark.parametrize(
    ("apart_mm", "hit"),
    [(0.0, True), (2.9, True), (3.1, False)],
)
def test_points_hit_within_reach(apart_mm: float, hit: bool) -> None:
    match = match_marks(marks_of_points([[0, 0, 0]]), marks_of_points([[0, apart_mm, 0]]))
    assert match.counts() == (1, int(hit), int(not hit))


def test_a_point_within_a_large_lesion_hits_it_at_any_distance_from_its_centre() -> None:
    lesion = marks_of_mask(mask(np.s_[2:30, 2:30, 2:10]), AFFINE)
    corner = marks_of_points([[-10 + 1.2, 1.2, 9.5]])
    assert match_marks(lesion, corner).counts() == (1, 1, 0)
    assert match_marks(corner, lesion).counts() == (1, 1, 0)
    assert match_marks(lesion, marks_of_points([[-10.0, 1.2, 9.5], [900.0, 0.0, 0.0]])).counts() == (1, 0, 2)


def test_masks_on_one_grid_hit_by_a_shared_voxel() -> None:
    long = marks_of_mask(mask(np.s_[2:30, 5:6, 3:4]), AFFINE)
    end = marks_of_mask(mask(np.s_[28:32, 5:6, 3:4]), AFFINE)
    beside = marks_of_mask(mask(np.s_[31:33, 5:6, 3:4]), AFFINE)
    assert match_marks(long, end).counts() == (1, 1, 0)
    assert match_marks(long, beside).counts() == (1, 0, 1)


def test_each_lesion_is_hit_once_by_the_surest_and_a_second_mark_is_false() -> None:
    reference = marks_of_points([[0, 0, 0], [5, 0, 0]])
    result = marks_of_points([[0.5, 0.0, 0.0], [0.0, 0.2, 0.0], [5.1, 0.0, 0.0]], score=[0.9, 0.4, 0.6])
    match = match_marks(reference, result)
    assert match.hit_by.tolist() == [0, 2]
    assert match.found.tolist() == [0.9, 0.6]
    assert match.false.tolist() == [0.4]
    assert match.counts(0.5) == (2, 2, 0)
    assert match.counts(0.7) == (2, 1, 0)


def test_equally_sure_marks_go_to_the_lesion_that_is_nearest() -> None:
    """Taken as listed, the first mark would take the lesion of the second, and one would be missed."""
    reference = marks_of_points([[0, 0, 0], [4, 0, 0]])
    result = marks_of_points([[2.0, 0.0, 0.0], [0.1, 0.0, 0.0]])
    assert match_marks(reference, result).counts() == (2, 2, 0)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_left_at_a_threshold_is_what_matching_the_rest_alone_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference = marks_of_points(rng.uniform(0, 12, (8, 3)))
    places, scores = rng.uniform(0, 12, (20, 3)), rng.random(20)
    whole = match_marks(reference, marks_of_points(places, score=scores))
    for threshold in (0.2, 0.5, 0.8):
        kept = scores >= threshold
        alone = match_marks(reference, marks_of_points(places[kept], score=scores[kept]))
        assert whole.counts(threshold) == alone.counts()


def test_nothing_against_nothing() -> None:
    none, one = marks_of_points([]), marks_of_points([[0, 0, 0]])
    assert match_marks(none, none).counts() == (0, 0, 0)
    assert match_marks(none, one).counts() == (0, 0, 1)
    assert match_marks(one, none).counts() == (1, 0, 0)


def test_points_in_voxels_go_by_the_scan_s_affine_and_those_in_mm_by_none(tmp_path: Path) -> None:
    path = tmp_path / "points.tsv"
    path.write_text("x\ty\tz\tdiameter_mm\tprobability\tregion\n10\t4\t3\t2.5\t0.8\tlobar\n1\t1\t1\tn/a\t0.25\t\n\n")
    points = read_points(path)
    marks = points.marks(AFFINE)
    np.testing.assert_allclose(marks.mm, [[-5.0, 2.0, 11.0], [-9.5, 0.5, 7.0]])
    assert marks.score.tolist() == [0.8, 0.25]
    assert marks.diameter_mm[0] == 2.5
    assert np.isnan(marks.diameter_mm[1])
    with pytest.raises(PointsError, match="scan that is not there"):
        points.marks()
    path.write_text("x\ty\tz\tx_mm\ty_mm\tz_mm\n10\t4\t3\t1\t2\t3\n")
    np.testing.assert_allclose(read_points(path).marks().mm, [[1, 2, 3]])


def test_possible_bleeds_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "points.tsv"
    path.write_text("x_mm\ty_mm\tz_mm\tcertainty\n1\t2\t3\tdefinite\n4\t5\t6\tPossible\n7\t8\t9\t\n")
    points = read_points(path)
    assert len(points.marks()) == 3
    np.testing.assert_allclose(points.definite().marks().mm[:, 0], [1, 7])


def test_a_file_with_a_header_alone_says_that_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "points.tsv"
    path.write_text("x\ty\tz\n")
    assert len(read_points(path).marks(AFFINE)) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x\ty\n1\t2\n", "no columns `x y z`"),
        ("", "no columns `x y z`"),
        ("x\ty\tz\n1\t2\tthree\n", "line 2, column z: got 'three'"),
        ("x\ty\tz\n1\t2\n", "line 2, column z: got ''"),
        ("x\ty\tz\tscore\n1\t2\t3\tnan\n", "line 2, column score: got 'nan'"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "p.tsv").write_text(text)
    with pytest.raises(PointsError, match=told):
        read_points(tmp_path / "p.tsv")
