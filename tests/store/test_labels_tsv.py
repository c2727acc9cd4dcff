"""What people know, read and written."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.store.labels_tsv import LABEL_COLUMNS, Label, LabelsError, read_labels, write_labels

PUBLISHED = (
    "scan participant site sequence proper motion noise contrast gadolinium defacing wmh_mask microbleeds rater split"
)


def labels_file(folder: Path, *lines: str) -> Path:
    path = folder / "labels.tsv"
    path.write_text("\n".join(line.replace(" ", "\t") for line in lines) + "\n")
    return path


def test_the_columns_are_those_that_were_published() -> None:
    assert " ".join(LABEL_COLUMNS) == PUBLISHED


def test_labels_come_back_as_they_were_written(tmp_path: Path) -> None:
    labels = [
        Label(scan="a.nii", participant="01", proper=True, motion=2, rater="x", split="train"),
        Label(scan="a.nii", participant="01", proper=False, wmh_mask=Path("m.nii.gz"), rater="y", split="train"),
        Label(scan="b.nii", defacing="excessive"),
    ]
    path = tmp_path / "labels.tsv"
    write_labels(labels, path)
    assert read_labels(path) == labels
    assert path.read_text().splitlines()[0].split("\t") == [
        *("scan", "participant", "proper", "motion", "defacing", "wmh_mask", "rater", "split")
    ]


def test_empty_cells_and_bids_not_available_mean_unknown(tmp_path: Path) -> None:
    path = labels_file(tmp_path, "scan motion proper", "a.nii n/a yes", "b.nii  no", "", "c.nii 1 ")
    assert [(label.motion, label.proper) for label in read_labels(path)] == [(None, True), (None, False), (1, None)]


def test_a_file_from_a_spreadsheet_with_byte_order_mark_and_crlf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_bytes("\ufeffscan\tmotion\r\na.nii\t1\r\n".encode())
    assert read_labels(path) == [Label(scan="a.nii", motion=1)]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["motion", "1"], "line 1: the column `scan` is missing"),
        ([], "line 1: the column `scan` is missing"),
        (["scan moton", "a 1"], r"line 1: unknown columns \['moton'\]"),
        (["scan motion motion", "a 1 1"], r"line 1: columns given twice \['motion'\]"),
        (["scan motion", "a 0", "b 3"], "line 3, column motion: .*got '3'"),
        (["scan motion", "a bad"], "line 2, column motion: .*got 'bad'"),
        (["scan defacing", "a good"], "line 2, column defacing"),
        (["scan motion", "a"], "line 2: 1 cells, expected 2"),
        (["scan motion", " 1"], "line 2, column scan"),
        (["scan motion", "a 1", "a 2"], "line 3, column scan: 'a' was given by the same rater in line 2"),
        (
            ["scan participant split", "a 01 train", "b 01 test"],
            "line 3, column split: participant '01' is in test, but in train in line 2",
        ),
    ],
)
def test_a_fault_is_named_with_its_line_and_column(lines: list[str], named: str, tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=named):
        read_labels(labels_file(tmp_path, *lines))


def test_all_faults_are_named_at_once_up_to_a_limit(tmp_path: Path) -> None:
    path = labels_file(tmp_path, "scan motion", *(f"s{n} 9" for n in range(15)))
    with pytest.raises(LabelsError, match="and 5 more") as refusal:
        read_labels(path)
    assert str(refusal.value).count("column motion") == 10


def test_one_scan_may_have_several_raters(tmp_path: Path) -> None:
    path = labels_file(tmp_path, "scan motion rater", "a 1 x", "a 2 y")
    assert [label.motion for label in read_labels(path)] == [1, 2]


def test_text_that_the_format_cannot_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="tab"):
        write_labels([Label(scan="a\tb")], tmp_path / "labels.tsv")
