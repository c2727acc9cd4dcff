"""Pairs of defaced scan and original: by name, by BIDS, by a table; a table that is wrong stops the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.engine.errors import RunError
from brainsift.engine.originals import Originals, load_originals, source_name, with_originals
from brainsift.scans.ref import ScanRef


@pytest.mark.parametrize(
    ("defaced", "original"),
    [
        ("sub-01_T1w.nii.gz", "sub-01_T1w"),
        ("sub-01_desc-defaced_T1w.nii.gz", "sub-01_T1w"),
        ("sub-01_ses-2_rec-defaced_T1w.nii", "sub-01_ses-2_T1w"),
        ("sub-01_T1w_defaced.nii.gz", "sub-01_T1w"),
        ("head.mgz", "head"),
    ],
)
def test_what_defacing_adds_to_a_name_is_left_out(defaced: str, original: str) -> None:
    assert source_name(defaced) == original


def test_the_same_place_in_the_folder_of_originals_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "sub-01" / "anat").mkdir(parents=True)
    (tmp_path / "sub-01" / "anat" / "sub-01_T1w.nii").touch()
    originals = load_originals(tmp_path)
    found = originals.of("sub-01/anat/sub-01_desc-defaced_T1w.nii.gz")
    assert found == tmp_path / "sub-01" / "anat" / "sub-01_T1w.nii"
    assert originals.of("sub-02/anat/sub-02_T1w.nii.gz") is None


def test_a_table_is_relative_to_itself(tmp_path: Path) -> None:
    (tmp_path / "raw.nii").touch()
    table = tmp_path / "pairs.tsv"
    table.write_text("scan\toriginal\na/b.nii\traw.nii\n")
    assert load_originals(table).of("a/b.nii") == tmp_path / "raw.nii"


@pytest.mark.parametrize(
    ("text", "told"),
    [("scan\tfile\na.nii\tb.nii\n", "column"), ("scan\toriginal\na.nii\tgone.nii\n", "not there")],
)
def test_a_table_that_cannot_be_right_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "pairs.tsv").write_text(text)
    with pytest.raises(RunError, match=told):
        load_originals(tmp_path / "pairs.tsv")


def test_a_path_that_is_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no folder or table"):
        load_originals(tmp_path / "nothing")


def test_scans_without_an_original_stay_as_they_are(tmp_path: Path) -> None:
    ref = ScanRef("a.nii", "a", "nifti", (tmp_path / "a.nii",), 1, 1)
    assert list(with_originals([ref], Originals())) == [ref]
    (paired,) = with_originals([ref], Originals(named={"a.nii": tmp_path / "b.nii"}))
    assert paired.original == tmp_path / "b.nii"
