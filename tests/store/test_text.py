"""Text in TSV cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsift.store.text import FORMULA_STARTS, from_tsv_cell, plain, tsv_cell


@given(st.text())
def test_a_cell_never_breaks_its_row_and_never_starts_a_formula(text: str) -> None:
    cell = tsv_cell(text)
    assert len(cell.splitlines()) <= 1
    assert "\t" not in cell
    assert not cell.startswith(FORMULA_STARTS)
    cell.encode("utf-8")


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
        ("", ""),
    ],
)
def test_examples(text: str, cell: str) -> None:
    assert tsv_cell(text) == cell
