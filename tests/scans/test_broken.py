"""Odd input ends as a volume or as an error that says what to do: never a crash, a hang or a large allocation."""

from __future__ import annotations

import os
import re
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from brainsift.scans.catalog import catalog
from brainsift.scans.errors import ScanError
from brainsift.scans.read import read
from brainsift.scans.ref import ScanRef
from tests.scans.broken import OK, make_broken_inputs
from tests.scans.nifti_bytes import content, image

PEAK_BYTES = 40 << 20
"""Readers work in pieces of 1 MiB and the images are tiny; a false header must not make them reserve more."""

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "input.md"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], dict[str, ScanRef]]:
    folder = tmp_path_factory.mktemp("broken") / "input"
    expected = make_broken_inputs(folder)
    return folder, expected, {ref.scan: ref for ref in catalog(folder)}


def outcome(ref: ScanRef) -> str:
    try:
        read(ref)
    except ScanError as error:
        return error.kind
    return OK


def test_table_is_large_enough(broken):
    _, expected, _ = broken
    assert len(expected) >= 50
    assert len(set(expected.values())) >= 20


def test_every_input_that_claims_to_be_an_image_becomes_a_reference_and_nothing_else(broken):
    _, expected, refs = broken
    assert set(refs) == set(expected)


def test_every_input_ends_as_expected_and_stays_unchanged(broken):
    folder, expected, refs = broken
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    found = {scan: outcome(ref) for scan, ref in refs.items()}
    assert found == expected
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before


def test_every_error_has_a_kind_a_cause_and_a_remedy(broken):
    _, expected, refs = broken
    for scan in (scan for scan, kind in expected.items() if kind != OK):
        with pytest.raises(ScanError) as caught:
            read(refs[scan])
        error = caught.value
        assert re.fullmatch(r"[a-z0-9_]+", error.kind)
        assert len(error.cause) > 10
        assert error.cause.endswith(".")
        assert len(error.remedy) > 10
        assert error.remedy.endswith(".")


def test_every_kind_is_documented(broken):
    _, expected, _ = broken
    text = DOCUMENTATION.read_text()
    assert [kind for kind in sorted(set(expected.values()) - {OK}) if f"`{kind}`" not in text] == []


def test_stems_are_unique_relative_and_encodable(broken):
    _, _, refs = broken
    stems = [ref.stem for ref in refs.values()]
    assert len({stem.casefold() for stem in stems}) == len(stems)
    for ref in refs.values():
        ref.scan.encode("utf-8")
        assert not ref.stem.startswith("/")
        assert ".." not in ref.stem.split("/")
        assert all(len(part.encode()) <= 160 for part in ref.stem.split("/"))
        assert "\n" not in ref.scan


@pytest.mark.parametrize(
    "scan", ["huge_dims.nii", "huge_nifti2.nii", "sparse_true_header.nii", "bomb.nii.gz", "sparse.nii"]
)
def test_false_sizes_are_refused_before_memory_is_reserved(broken, scan):
    _, expected, refs = broken
    tracemalloc.start()
    try:
        assert outcome(refs[scan]) == expected[scan]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < PEAK_BYTES


def test_scratch_is_empty_after_good_and_bad_series(broken, tmp_path):
    _, _, refs = broken
    for scan in ("dicom_good", "dicom_cut", "dicom_no_pixels"):
        with suppress(ScanError):
            read(refs[scan], scratch=tmp_path)
        assert list(tmp_path.iterdir()) == []


def locked_inputs(folder: Path) -> Path:
    folder.mkdir()
    (folder / "locked.nii").write_bytes(content(image()))
    (folder / "locked_file.dcm").write_bytes(b"x")
    (folder / "locked_folder").mkdir()
    (folder / "open.nii").write_bytes(content(image()))
    for name in ("locked.nii", "locked_file.dcm", "locked_folder"):
        (folder / name).chmod(0)
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    return folder


def test_what_may_not_be_read_is_reported_and_the_rest_goes_on(tmp_path, request):
    folder = locked_inputs(tmp_path / "input")
    request.getfixturevalue("ordinary_user")
    found = {ref.scan: outcome(ref) for ref in catalog(folder)}
    assert found == {
        "locked.nii": "no_permission",
        "locked_file.dcm": "no_permission",
        "locked_folder": "no_permission",
        "open.nii": OK,
    }
