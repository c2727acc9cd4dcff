"""Text in TSV cells."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsift.evaluate.labels import read_labels
from brainsift.store.labels_tsv import write_labels
from brainsift.store.table import format_cell
from brainsift.store.text import FORMULA_STARTS, from_tsv_cell, guarded, plain, tsv_cell
from brainsift.tsv_text import unguarded


@given(st.text())
def test_a_cell_never_breaks_its_row_and_never_starts_a_formula(text: str) -> None:
    cell = tsv_cell(text)
    assert len(cell.splitlines()) <= 1
    assert "\t" not in cell
    assert not cell.startswith(FORMULA_STARTS)
    cell.encode("utf-8")


@given(st.text("'=\" \u00a0+-@\uff1d\\a", max_size=8))
def test_a_cell_of_dangerous_characters_reads_back_too(text: str) -> None:
    assert from_tsv_cell(tsv_cell(text)) == text
    assert unguarded(guarded(text)) == text
    assert not guarded(text).lstrip().startswith(FORMULA_STARTS)


@given(st.text())
def test_a_cell_reads_back_as_the_text_without_its_control_characters(text: str) -> None:
    assert from_tsv_cell(tsv_cell(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("scan.nii.gz", "scan.nii.gz"),
        ("a\tb\nc\\d", "a\\tb\\nc\\\\d"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@sum", "'@sum"),
        ("-x.nii", "'-x.nii"),
        ("'tis", "'tis"),
        ("''=x", "'''=x"),
        (" =1+1", "' =1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ('"=1+1".nii', '\'"=1+1".nii'),
        ("sub-01/a=b+c-d@e.nii", "sub-01/a=b+c-d@e.nii"),
        ("", ""),
    ],
)
def test_examples(text: str, cell: str) -> None:
    assert tsv_cell(text) == cell
    assert from_tsv_cell(cell) == text


@pytest.mark.parametrize(("number", "cell"), [(-1.5, "-1.5"), (-3, "-3"), (1e-7, "1e-07"), (True, "true")])
def test_numbers_stay_numbers(number: float, cell: str) -> None:
    assert format_cell(number) == cell


@pytest.mark.parametrize("name", ["=cmd.nii", "-2+3.nii", "'=x.nii", '"=1.nii', "@sum", " =a.nii", "plain.nii"])
def test_a_label_of_a_dangerous_name_is_found_again_and_runs_nowhere(name: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    write_labels([{"scan": name, "participant": "=1+1", "rater": "@me", "proper": True}], path)
    cells = path.read_text().splitlines()[1].split("\t")
    assert not [cell for cell in cells if cell.lstrip().startswith(FORMULA_STARTS)]
    (label,) = read_labels(path)
    assert (label.scan, label.participant, label.rater) == (name, "=1+1", "@me")
