"""What people know, written so that the one reader of labels takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.evaluate.labels import LABEL_COLUMNS as READ_COLUMNS
from brainsift.evaluate.labels import Label, read_labels
from brainsift.store.labels_tsv import LABEL_COLUMNS, write_labels


def test_what_is_written_are_the_columns_that_are_read() -> None:
    assert LABEL_COLUMNS == READ_COLUMNS


def test_labels_come_back_as_they_were_written(tmp_path: Path) -> None:
    labels = [
        Label(scan="a.nii", participant="01", proper=True, motion=2, rater="x", split="train"),
        Label(scan="a.nii", participant="01", proper=False, wmh_mask=Path("m.nii.gz"), rater="y", split="train"),
        Label(scan="b.nii", defacing="excessive", motion=0),
    ]
    path = tmp_path / "new" / "labels.tsv"
    write_labels((label.model_dump() for label in labels), path)
    assert read_labels(path) == labels
    assert path.read_text().splitlines()[0].split("\t") == [
        *("scan", "participant", "proper", "motion", "defacing", "wmh_mask", "rater", "split")
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"scan": "a\tb"}, "tab"),
        ({"scan": "a", "rater": "Doe\nJohn"}, "line end"),
        ({"scan": "a", "moton": 1}, "moton"),
        ({"motion": 1}, "needs a scan"),
        ({"scan": "", "motion": 1}, "needs a scan"),
    ],
)
def test_a_row_that_could_not_be_read_back_is_refused(row: dict[str, object], told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=told):
        write_labels([row], tmp_path / "labels.tsv")
    assert not (tmp_path / "labels.tsv").exists()


def test_no_labels_are_a_header(tmp_path: Path) -> None:
    write_labels([], tmp_path / "labels.tsv")
    assert (tmp_path / "labels.tsv").read_text() == "scan\n"
