"""Inputs made to harm: bombs, false claims, paths that a converter would misread, files that move under the reader."""

from __future__ import annotations

import os
import stat
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from brainsift.scans import converter
from brainsift.scans.catalog import catalog
from brainsift.scans.conform import refuse_huge, to_working_grid
from brainsift.scans.dicom import read_dicom
from brainsift.scans.dicom_peek import deflated_data_set, peek
from brainsift.scans.dicom_series import inspect
from brainsift.scans.errors import ScanError
from brainsift.scans.nifti import read_nifti
from brainsift.scans.read import read
from brainsift.scans.scratch import copy_hashed, require_room
from brainsift.scans.stream import ByteSource
from brainsift.scans.volume import InputGrid, ReadFacts, Volume
from tests.fuzz.mutate import deflate_bomb
from tests.fuzz.seeds import deflated
from tests.scans.dicom_bytes import edit, write_series
from tests.scans.nifti_bytes import content, image, put

PEAK_BYTES = 40 << 20
BOMB_BYTES = 80 << 20
SOUND = content(image())


def kind_of(call: Any, *args: Any) -> str:
    with pytest.raises(ScanError) as caught:
        call(*args)
    return caught.value.kind


def peak_of(call: Any, *args: Any) -> int:
    """Most memory that Python and NumPy held during a call that ends in a `ScanError`, or in nothing."""
    tracemalloc.start()
    try:
        with suppress(ScanError):
            call(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def deflate(paths: list[Path]) -> list[Path]:
    for path in paths:
        path.write_bytes(deflated(path.read_bytes()))
    return paths


def test_deflated_dicom_is_the_same_scan(tmp_path: Path) -> None:
    plain = read_dicom(write_series(tmp_path / "plain"))
    packed = write_series(tmp_path / "packed")
    deflate(packed)
    assert dcmread(packed[0]).file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    (ref,) = catalog(tmp_path / "packed")
    assert len(ref.paths) == len(packed)
    assert np.array_equal(read(ref).data, plain.data)


def test_a_bomb_in_deflated_dicom_is_never_unpacked(tmp_path: Path) -> None:
    path = put(tmp_path / "in" / "bomb.dcm", deflate_bomb(b"", BOMB_BYTES))
    assert path.stat().st_size < BOMB_BYTES // 100
    assert peak_of(lambda: list(catalog(tmp_path / "in"))) < PEAK_BYTES
    assert kind_of(read_dicom, [path], None, BOMB_BYTES // 2) == "too_large"
    assert peak_of(read_dicom, [path], None, BOMB_BYTES // 2) < PEAK_BYTES


@pytest.mark.parametrize(("spoil", "kind"), [("cut", "truncated"), ("blank", "corrupt_dicom")])
def test_damaged_deflated_dicom_is_refused(spoil: str, kind: str, tmp_path: Path) -> None:
    path = deflate(write_series(tmp_path / "in", slices=1))[0]
    whole = path.read_bytes()
    start = deflated_data_set(path)
    assert start is not None
    path.write_bytes(whole[:-60] if spoil == "cut" else whole[:start] + b"\xff" * 40 + whole[start + 40 :])
    assert kind_of(read_dicom, [path]) == kind


def test_meta_information_beyond_writing_does_not_stop_a_deflated_scan(tmp_path: Path) -> None:
    plain = read_dicom(write_series(tmp_path / "plain"))
    paths = deflate(write_series(tmp_path / "packed"))
    for path in paths:
        path.write_bytes(path.read_bytes().replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x10\x00US", 1))
    assert np.array_equal(read_dicom(paths).data, plain.data)


def test_pixels_that_are_only_claimed_are_refused_before_the_converter_sees_them(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "in", slices=2)
    for path in paths:
        made = dcmread(path)
        made.file_meta.TransferSyntaxUID = RLELossless
        made.Rows = made.Columns = 65535
        made.NumberOfFrames = 1000
        made["PixelData"].is_undefined_length = True
        made.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x10\0\0\0" + bytes(16) + b"\xfe\xff\xdd\xe0\0\0\0\0"
        made.save_as(path)
    assert kind_of(read_dicom, paths) == "too_large"


@pytest.mark.parametrize("number", ["+-5", "5+", "99999999999", "\u00b2", "1e3", "-3 "])
def test_a_series_number_that_is_none_stops_no_catalog(number: str, tmp_path: Path) -> None:
    (path,) = write_series(tmp_path / "in", slices=1)
    whole = path.read_bytes()
    place = whole.index(b"\x20\x00\x11\x00IS")
    text = number.encode("latin-1").ljust(12)[:12]
    path.write_bytes(whole[: place + 6] + len(text).to_bytes(2, "little") + text + whole[place + 10 :])
    seen = peek(path)
    assert seen is not None
    assert isinstance(seen.series_number, int)
    assert len(list(catalog(tmp_path / "in"))) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"ImagePositionPatient": [1e308, -1e308, 1e308]},
        {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]},
        {"ImageOrientationPatient": [1e300, 0, 0, 0, 1e300, 0]},
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": [1, 0, 0]},
    ],
)
def test_positions_that_are_none_end_in_words(values: dict[str, Any], tmp_path: Path) -> None:
    paths = write_series(tmp_path / "in", slices=4)
    edit(paths[1], **values)
    facts = inspect(paths)
    assert any("positions" in said or "orientations" in said for said in facts.repairs)


def test_a_field_of_view_of_a_street_is_refused(tmp_path: Path) -> None:
    long = put(tmp_path / "long.nii", content(np.zeros((30000, 1, 1), np.uint8), pixdim=[1, 50, 50, 50, 1, 1, 1, 1],
                                              sform_code=0, qform_code=0))  # fmt: skip
    assert kind_of(read_nifti, long) == "bad_extent"


def test_a_working_grid_that_would_fill_the_memory_is_refused_before_it_is_made() -> None:
    affine = np.diag([49.0, 49.0, 49.0, 1.0])
    grid = InputGrid((60, 60, 60), affine, (0, 1, 2), (False, False, False))
    volume = Volume(np.zeros((60, 60, 60), np.float32), affine, grid, ReadFacts("nifti1", "uint8", (60, 60, 60), ""))
    assert kind_of(to_working_grid, volume, 2.0) == "too_large"
    assert peak_of(to_working_grid, volume, 2.0) < PEAK_BYTES
    assert kind_of(refuse_huge, [30000, 1, 1], [30000, 1, 1]) == "too_large"
    refuse_huge([512, 512, 512], [512, 512, 512])


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a Python script in the place of dcm2niix."""

    def place(script: str) -> None:
        program = tmp_path / "dcm2niix"
        program.write_text(f"#!{sys.executable}\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr("dcm2niix.bin", str(program))

    return place


def test_a_converter_that_hangs_is_ended(fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_series(tmp_path / "in")
    fake(f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(500)")
    monkeypatch.setattr(converter, "BASE_TIMEOUT_S", 5.0)
    assert kind_of(read_dicom, paths) == "dicom_timeout"
    written = tmp_path / "pid"
    assert not written.exists() or not Path("/proc", written.read_text()).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's own")
def test_a_converter_is_bound_in_memory_output_and_processor_time(fake: Any, tmp_path: Path) -> None:
    paths = write_series(tmp_path / "in")
    fake(
        "import resource as r\n"
        "import time\n"
        "while r.getrlimit(r.RLIMIT_FSIZE)[0] < 0: time.sleep(0.01)\n"
        f"open({str(tmp_path / 'limits')!r}, 'w').write("
        "' '.join(str(r.getrlimit(w)[0]) for w in (r.RLIMIT_AS, r.RLIMIT_FSIZE, r.RLIMIT_CPU)))"
    )
    assert kind_of(read_dicom, paths, None, 100 << 20) == "dicom_conversion_failed"
    memory, file, seconds = map(int, (tmp_path / "limits").read_text().split())
    assert memory == (100 << 20) + converter.PROGRAM_BYTES
    assert file == 100 << 20
    assert converter.BASE_TIMEOUT_S <= seconds <= converter.BASE_TIMEOUT_S + 5


@pytest.mark.parametrize("name", ["-o", "$(touch pwned)", "a 'b\" c", "line\nend", "-f%n"])
def test_the_converter_misreads_no_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_series(tmp_path / "in" / name)
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    assert read_dicom(paths, scratch=Path(name)).shape == (16, 16, 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "in"])
    assert list(Path(name).iterdir()) == []


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_shrinks_under_the_reader_is_called_changed_and_not_damaged(packed: bool, tmp_path: Path) -> None:
    whole = content(np.random.default_rng(0).integers(0, 2**15, (128, 128, 128)).astype(np.int16))
    path = put(tmp_path / ("a.nii.gz" if packed else "a.nii"), whole)
    with ByteSource(path) as source:
        source.read_up_to(1000)
        os.truncate(path, 1 << 20)
        assert kind_of(source.readinto, memoryview(bytearray(4 << 20))) == "changed_while_read"


def test_a_file_that_vanishes_under_the_reader_is_called_missing(tmp_path: Path) -> None:
    path = put(tmp_path / "a.nii", content(image()))
    with ByteSource(path) as source:
        source.read_up_to(1000)
        path.unlink()
        assert kind_of(source.finish, 1 << 20) == "missing_file"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_no_room_for_a_copy_is_no_fault_of_the_scan(tmp_path: Path) -> None:
    source = put(tmp_path / "a.dcm", bytes(5000))
    (tmp_path / "room").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        copy_hashed(source, Path("/dev/full"))
    with pytest.raises(OSError, match="No space left"):
        require_room(tmp_path, 5000)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"BIDSVersion": ' + b"9" * 5000 + b"}", b"\xff", b"[]", None])
def test_a_description_that_is_none_stops_no_catalog(content: bytes | None, tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.nii", SOUND)
    description = tmp_path / "in" / "dataset_description.json"
    if content is None:
        os.mkfifo(description)  # Opening it would wait for ever for someone to write.
    else:
        description.write_bytes(content)
    assert [ref.scan for ref in catalog(tmp_path / "in")] == ["a.nii"]


@pytest.mark.parametrize("vr", [b"LO", b"DS", b"SH", b"AT", b"US"])
def test_a_transfer_syntax_of_another_type_ends_in_words(vr: bytes, tmp_path: Path) -> None:
    paths = write_series(tmp_path / "in", slices=2)
    for path in paths:
        path.write_bytes(path.read_bytes().replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x10\x00" + vr))
    for ref in catalog(tmp_path / "in"):
        with suppress(ScanError):
            assert read(ref).shape
