"""Records as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainsift.store.errors import StoreError
from brainsift.store.record import SCHEMA_VERSION
from brainsift.store.record_io import dump_record, read_record, record_files, record_path, write_record
from tests.store.parts import done_record, failed_record


@pytest.mark.parametrize("record", [done_record(), failed_record()], ids=["done", "failed"])
def test_a_record_comes_back_as_it_was_written(record, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = write_record(record, tmp_path)
    assert path == record_path(tmp_path, record.stem)
    assert path.name.endswith("_desc-brainsift_qc.json")
    assert read_record(path) == record


def test_a_record_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    record = done_record()
    finding = record.findings[0].model_copy(update={"probabilities": {"proper": float("nan")}})
    with pytest.raises(ValueError, match="probabilities"):
        write_record(record.model_copy(update={"findings": (finding,)}), tmp_path)
    assert list(record_files(tmp_path)) == []


@pytest.mark.parametrize("more", [{}, {"something_new": 1}], ids=["same fields", "new fields"])
def test_a_record_of_a_newer_program_is_named_as_such(more: dict[str, int], tmp_path: Path) -> None:
    content = json.loads(dump_record(done_record())) | {"schema_version": SCHEMA_VERSION + 1} | more
    path = tmp_path / "x_desc-brainsift_qc.json"
    path.write_text(json.dumps(content))
    with pytest.raises(StoreError, match="Update BrainSift") as refusal:
        read_record(path)
    assert refusal.value.kind == "newer_schema"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema_version": "x"}', '{"scan": 1}', "\xff\xfe"])
def test_a_file_that_is_no_record_is_explained(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x_desc-brainsift_qc.json"
    path.write_text(text)
    with pytest.raises(StoreError, match="Delete it") as refusal:
        read_record(path)
    assert refusal.value.kind == "broken_record"


def test_record_files_are_found_in_order_and_hidden_ones_left_out(tmp_path: Path) -> None:
    for scan in ("b/x.nii.gz", "a.nii.gz", "b/a/y.nii.gz"):
        write_record(done_record(scan), tmp_path)
    (tmp_path / ".scratch").mkdir()
    (tmp_path / ".scratch" / "z_desc-brainsift_qc.json").touch()
    (tmp_path / "a_desc-brainsift_qc.json.bak").touch()
    assert {read_record(path).scan for path in record_files(tmp_path)} == {"b/x.nii.gz", "a.nii.gz", "b/a/y.nii.gz"}
    assert list(record_files(tmp_path)) == list(record_files(tmp_path))
