"""Names that cannot leave OUTPUT, files that are whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsift.store.errors import StoreError
from brainsift.store.files import PART_SUFFIX, derived_path, sweep_parts, write_atomic

SUFFIX = "_desc-brainsift_qc.json"


@pytest.mark.parametrize(
    "stem", ["", ".", "..", "../x", "a/../b", "a/..", "/etc/x", "a//b", "a/", "./a", "x\0y"], ids=repr
)
def test_a_stem_that_is_no_plain_relative_path_is_refused(stem: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain relative path"):
        derived_path(tmp_path, stem, SUFFIX)


@pytest.mark.parametrize("suffix", ["", "x.json", "_a/b", "_\0"], ids=repr)
def test_a_suffix_that_could_change_the_folder_is_refused(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="suffix"):
        derived_path(tmp_path, "a", suffix)


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_whatever_the_stem_the_file_lies_inside_or_is_refused(stem: str) -> None:
    output = Path("/output/folder")
    try:
        path = derived_path(output, stem, SUFFIX)
    except ValueError:
        return
    assert path.is_relative_to(output)
    assert ".." not in path.parts


def test_long_names_are_shortened_apart_from_each_other(tmp_path: Path) -> None:
    paths = [derived_path(tmp_path, f"folder/{'é' * 200}{end}", SUFFIX) for end in "ab"]
    assert len(set(paths)) == 2
    for path in paths:
        write_atomic(path, "x", tmp_path)
        assert len(path.name.encode()) <= 255


def test_a_link_that_leads_out_of_output_is_refused(tmp_path: Path) -> None:
    output, outside = tmp_path / "out", tmp_path / "outside"
    output.mkdir()
    outside.mkdir()
    (output / "sub-01").symlink_to(outside)
    with pytest.raises(StoreError, match="leads out"):
        write_atomic(derived_path(output, "sub-01/scan", SUFFIX), "x", output)
    assert list(outside.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_no_partial_one(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_atomic(path, "old", tmp_path)
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "new \ud800", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text() == "old"


def test_what_a_dead_process_was_writing_is_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (f".a.json.123{PART_SUFFIX}", f".a.json.124{PART_SUFFIX}", "a.json"):
        (tmp_path / name).touch()
    sweep_parts(tmp_path, 123)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".a.json.124{PART_SUFFIX}", "a.json"]
