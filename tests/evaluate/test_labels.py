"""What people know, read, agreed on and split."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from brainsift.evaluate.consensus import consensus, majority, median_grade, paired
from brainsift.evaluate.labels import LABEL_COLUMNS, Label, LabelsError, read_labels, unseen
from brainsift.evaluate.splits import grouped_folds, grouped_split
from brainsift.evaluate.truth import is_good, labelled_parts, tier

PUBLISHED = (
    "scan participant site sequence proper motion noise contrast gadolinium defacing wmh_mask microbleeds rater split"
)


def labels_file(folder: Path, *lines: str) -> Path:
    path = folder / "labels.tsv"
    path.write_text("\n".join(line.replace(" ", "\t") for line in lines) + "\n", encoding="utf-8")
    return path


def test_the_columns_are_those_that_were_published() -> None:
    assert " ".join(LABEL_COLUMNS) == PUBLISHED


def test_columns_are_used_where_present_and_empty_cells_are_unknown(tmp_path: Path) -> None:
    path = labels_file(tmp_path, "scan motion proper", "a.nii n/a yes", "b.nii  no", "", "c.nii 1 ")
    assert [(label.motion, label.proper) for label in read_labels(path)] == [(None, True), (None, False), (1, None)]


def test_a_file_from_a_spreadsheet_with_byte_order_mark_and_crlf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_bytes("\ufeffscan\tmotion\r\na.nii\t1\r\n".encode())
    assert read_labels(path) == [Label(scan="a.nii", motion=1)]


@pytest.mark.parametrize(
    ("lines", "cause", "remedy"),
    [
        (["motion", "1"], "line 1: the column `scan` is missing", "separated by tabs"),
        (["scan,motion", "a,1"], "line 1: the column `scan` is missing", "separated by tabs"),
        ([], "line 1: the column `scan` is missing", "Known columns"),
        (["scan moton", "a 1"], r"line 1: unknown columns \['moton'\]", "Rename"),
        (["scan motion motion", "a 1 1"], r"line 1: columns given twice \['motion'\]", "Keep one"),
        (["scan motion", "a 0", "b 3"], "line 3, column motion: got '3', expected a grade", "Correct"),
        (["scan motion", "a bad"], "line 2, column motion: got 'bad'", "Correct"),
        (["scan proper", "a perhaps"], "line 2, column proper: got 'perhaps', expected `yes` or `no`", "Correct"),
        (["scan defacing", "a good"], "line 2, column defacing: got 'good', expected `correct`", "Correct"),
        (["scan motion", "a"], "line 2: 1 cells, expected 2", "Correct"),
        (["scan motion", " 1"], "line 2, column scan", "Correct"),
        (["scan motion", "a 1", "a 2"], "line 3, column scan: 'a' was given by the same rater in line 2", "Correct"),
        (
            ["scan participant split", "a 01 train", "b 01 test"],
            "line 3, column split: participant '01' is in test, but in train in line 2",
            "Correct",
        ),
        (
            ["scan rater split", "a x train", "a y test"],
            "line 3, column split: a is in test, but in train in line 2",
            "Correct",
        ),
    ],
)
def test_a_fault_is_named_with_its_line_and_a_remedy(lines: list[str], cause: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=cause) as refusal:
        read_labels(labels_file(tmp_path, *lines))
    assert remedy in refusal.value.remedy


def test_all_faults_are_named_at_once_up_to_a_limit(tmp_path: Path) -> None:
    path = labels_file(tmp_path, "scan motion", *(f"s{n} 9" for n in range(15)))
    with pytest.raises(LabelsError, match="and 5 more") as refusal:
        read_labels(path)
    assert str(refusal.value).count("column motion") == 10


def test_a_file_in_another_encoding_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_bytes("scan\nMüller\n".encode("latin-1"))
    with pytest.raises(LabelsError, match="not UTF-8"):
        read_labels(path)


def test_the_error_survives_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(LabelsError("Wrong.", "Mend it.")))
    assert (error.cause, error.remedy) == ("Wrong.", "Mend it.")


def test_what_a_model_was_fitted_on_does_not_judge_it() -> None:
    labels = [Label(scan="a", split="train"), Label(scan="b", split="validation"), Label(scan="c", split="test")]
    assert [label.scan for label in unseen([*labels, Label(scan="d")])] == ["c", "d"]


def test_raters_agree_by_median_grade_and_majority() -> None:
    labels = [
        Label(scan="a", participant="01", motion=0, proper=True, rater="x"),
        Label(scan="a", participant="01", motion=1, proper=False, rater="y"),
        Label(scan="b", motion=2, rater="x"),
    ]
    agreed = consensus(labels)
    assert list(agreed) == ["a", "b"]
    assert (agreed["a"].motion, agreed["a"].proper, agreed["a"].participant) == (1, None, "01")
    assert agreed["b"].motion == 2


@pytest.mark.parametrize(("grades", "middle"), [([0], 0), ([0, 1], 1), ([0, 0, 2], 0), ([0, 0, 1, 2], 1)])
def test_of_two_middle_grades_the_worse_counts(grades: list[int], middle: int) -> None:
    assert median_grade(grades) == middle


@pytest.mark.parametrize(("answers", "agreed"), [([True], True), ([True, False], None), ([True, True, False], True)])
def test_a_majority_is_more_than_half(answers: list[bool], agreed: bool | None) -> None:
    assert majority(answers) is agreed


def test_pairs_of_raters_share_scans_that_both_filled_in() -> None:
    labels = [
        *(Label(scan=scan, motion=0, rater="x") for scan in "abc"),
        *(Label(scan=scan, motion=1, rater="y") for scan in "bcd"),
        Label(scan="a", rater="z"),
        Label(scan="a", motion=2),
    ]
    pairs = paired(labels, "motion")
    assert list(pairs) == [("x", "y")]
    assert [(first.scan, first.motion, second.motion) for first, second in pairs["x", "y"]] == [
        ("b", 0, 1),
        ("c", 0, 1),
    ]


PARTS = ("proper", "motion")


@pytest.mark.parametrize(
    ("label", "good"),
    [
        (Label(scan="a", proper=True, motion=1), True),
        (Label(scan="a", proper=True, motion=2), False),
        (Label(scan="a", proper=False), False),
        (Label(scan="a", proper=True), None),
        (Label(scan="a", motion=2), False),
        (Label(scan="a"), None),
    ],
)
def test_a_scan_is_good_if_all_that_was_asked_is(label: Label, good: bool | None) -> None:
    assert is_good(label, PARTS) is good


def test_only_parts_that_somebody_filled_in_are_asked() -> None:
    assert labelled_parts("quality", [Label(scan="a", proper=True), Label(scan="b", noise=0)]) == ("proper", "noise")
    assert labelled_parts("wmh", [Label(scan="a", proper=True)]) == ()
    assert is_good(Label(scan="a", defacing="excessive"), ("defacing",)) is False
    assert is_good(Label(scan="a"), ()) is None


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (Label(scan="a", motion=0, noise=0, contrast=0), 1),
        (Label(scan="a", motion=0, noise=1, contrast=0), 2),
        (Label(scan="a", motion=2), 3),
        (Label(scan="a", motion=1), None),
        (Label(scan="a", proper=False, motion=2), None),
        (Label(scan="a"), None),
    ],
)
def test_the_tier_is_the_worst_grade_and_needs_all_unless_one_is_severe(label: Label, expected: int | None) -> None:
    assert tier(label) == expected


def test_folds_keep_people_whole_and_are_of_equal_size() -> None:
    people = np.repeat(np.arange(50), np.random.default_rng(0).integers(1, 5, 50)).tolist()
    folds = grouped_folds(people, 5)
    for person in set(people):
        assert len({fold for fold, owner in zip(folds.tolist(), people, strict=True) if owner == person}) == 1
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 1
    assert not np.array_equal(folds, grouped_folds(people, 5, seed=1))


def test_more_folds_than_people_are_refused() -> None:
    with pytest.raises(ValueError, match="2 people"):
        grouped_folds(["a", "b", "a"], 3)


def test_a_split_takes_the_share_of_people() -> None:
    people = [f"p{i % 30}" for i in range(120)]
    chosen = grouped_split(people, 0.3)
    assert chosen.sum() == 9 * 4
    assert len({person for person, taken in zip(people, chosen, strict=True) if taken}) == 9
    with pytest.raises(ValueError, match="share"):
        grouped_split(people, 1.0)
