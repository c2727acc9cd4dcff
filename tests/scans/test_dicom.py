"""DICOM series to volumes, and nothing personal with them."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from brainsift.scans.catalog import catalog
from brainsift.scans.catalog_dicom import sort_series
from brainsift.scans.dicom_peek import peek
from brainsift.scans.errors import ScanError
from brainsift.scans.read import read
from brainsift.scans.walk import Found
from tests.scans.dicom_bytes import SECRETS, edit, slice_dataset, write_series


def read_only(folder):
    (ref,) = catalog(folder)
    return read(ref)


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom") / "series"
    write_series(folder)
    return read_only(folder)


def test_voxels_and_place_are_those_of_the_headers(volume):
    assert volume.shape == (16, 16, 8)
    np.testing.assert_allclose(volume.spacing, (1, 1, 3), rtol=1e-5)
    index = np.linalg.inv(volume.affine) @ [8.0, 8.0, 6.0, 1.0]  # DICOM (-8, -8, 6) in RAS: first voxel of slice 2
    i, j, k = np.rint(index[:3]).astype(int)
    assert volume.data[i, j, k] == 20
    assert volume.data[i - 1, j, k] == 21


def test_no_identity_and_no_free_text_come_out(volume):
    everything = json.dumps(asdict(volume.facts), default=str).lower()
    words = {word for secret in SECRETS for word in (secret, *secret.replace("^", " ").split()) if len(word) > 2}
    assert [word for word in words if word.lower() in everything] == []
    assert "tse" not in everything


def test_technical_fields_come_out_with_bids_names_and_units(volume):
    header = volume.facts.header
    assert header["EchoTime"] == pytest.approx(0.09)
    assert header["RepetitionTime"] == pytest.approx(4.0)
    assert header["MagneticFieldStrength"] == 1.5
    assert header["MRAcquisitionType"] == "2D"
    assert header["ImageType"] == ["ORIGINAL", "PRIMARY", "M"]
    assert header["Manufacturer"] == "Siemens"
    assert header["ManufacturersModelName"] == "Prisma"
    assert header["SequenceHint"] == "T2w"
    assert header["ContrastAgent"] is True
    assert header["BodyPartExamined"] == "BRAIN"
    assert "PatientAge" not in header


def test_digest_depends_on_the_content_and_not_on_the_names(tmp_path):
    for folder, prefix in (("a", "IM"), ("b", "Z")):
        write_series(tmp_path / folder, prefix=prefix, series_uid="1.2.3")
    one, two = (read_only(tmp_path / folder).facts.sha256 for folder in ("a", "b"))
    edit(tmp_path / "a" / "IM0000", EchoTime=91.0)
    assert one == two != read_only(tmp_path / "a").facts.sha256


def test_missing_slices_are_said(tmp_path):
    for path in write_series(tmp_path / "gap", slices=12)[5:7]:
        path.unlink()
    repairs = read_only(tmp_path / "gap").facts.repairs
    assert "About 2 slices are missing between the others." in repairs


def test_two_echoes_in_one_series_give_one_volume_and_say_so(tmp_path):
    for echo, time in enumerate((10.0, 80.0), start=1):
        for number in range(8):
            made = slice_dataset(number, "1.2.3.9")
            made.EchoTime, made.EchoNumbers = time, echo
            made.InstanceNumber = echo * 100 + number
            made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            folder = tmp_path / "echoes"
            folder.mkdir(exist_ok=True)
            made.save_as(folder / f"E{echo}_{number}", enforce_file_format=True)
    volume = read_only(tmp_path / "echoes")
    assert volume.shape == (16, 16, 8)
    assert any("The series holds 2 volumes" in repair for repair in volume.facts.repairs)


def test_one_slice_is_a_volume(tmp_path):
    write_series(tmp_path / "one", slices=1)
    assert read_only(tmp_path / "one").shape == (16, 16, 1)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"PixelData": None}, "no_pixels"),
        ({"Rows": None, "Columns": None}, "no_pixels"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "colour"),
        ({"Rows": 4000}, "truncated"),
    ],
)
def test_what_cannot_become_a_volume_is_explained(tmp_path, change, kind):
    for path in write_series(tmp_path / "bad"):
        edit(path, **change)
    with pytest.raises(ScanError) as caught:
        read_only(tmp_path / "bad")
    assert caught.value.kind == kind


def test_reports_and_directories_are_counted_and_not_read(tmp_path):
    write_series(tmp_path / "exam")
    made = slice_dataset(0, "1.2.3.4")
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.22"
    made.save_as(tmp_path / "exam" / "SR0001.dcm", enforce_file_format=True)
    found = catalog(tmp_path)
    assert [ref.scan for ref in found] == ["exam"]
    assert found.counts.not_images == 1


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("preamble", [True, False])
def test_peek_agrees_with_pydicom(tmp_path, implicit, preamble):
    (path,) = write_series(tmp_path, slices=1, implicit=implicit, series_number=77)
    if not preamble:
        dataset_start = path.read_bytes().index(
            b"\x08\x00", 128 + 4 + 12 + dcmread(path).file_meta.FileMetaInformationGroupLength
        )
        path.write_bytes(path.read_bytes()[dataset_start:])
    found = peek(path)
    reference = dcmread(path, force=True)
    assert found is not None
    assert found.series_uid == reference.SeriesInstanceUID
    assert found.series_number == 77
    assert found.modality == "MR"


@pytest.mark.parametrize("undefined", [False, True])
def test_peek_passes_over_nested_sequences(tmp_path, undefined):
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    (path,) = write_series(tmp_path, slices=1)
    inner, outer = Dataset(), Dataset()
    inner.CodeValue = "1"
    inner.SeriesInstanceUID = "9.9.9"
    outer.PurposeOfReferenceCodeSequence = Sequence([inner, inner])
    for item in (inner, outer):
        item.is_undefined_length_sequence_item = undefined
    made = dcmread(path)
    made.ReferencedStudySequence = Sequence([outer, outer])
    made["ReferencedStudySequence"].is_undefined_length = undefined
    made.save_as(path, enforce_file_format=True)
    found = peek(path)
    assert found is not None
    assert found.series_uid == dcmread(path).SeriesInstanceUID != "9.9.9"


def test_long_private_headers_are_left_to_pydicom(tmp_path):
    (path,) = write_series(tmp_path, slices=1)
    made = dcmread(path)
    made.add_new((0x0009, 0x0010), "LO", "VENDOR")
    made.add_new((0x0009, 0x1001), "OB", bytes(20_000))
    made.save_as(path, enforce_file_format=True)
    assert peek(path) is not None
    assert peek(path).series_uid == made.SeriesInstanceUID


@pytest.mark.parametrize("length", [0, 1, 131, 132, 140, 200, 400])
def test_peek_never_breaks_on_cut_files(tmp_path, length):
    (path,) = write_series(tmp_path, slices=1)
    path.write_bytes(path.read_bytes()[:length])
    found = peek(path)
    assert found is None or isinstance(found.series_number, int)


def test_series_are_sorted_by_content_and_not_by_name(tmp_path):
    first = write_series(tmp_path, prefix="B", series_number=2)
    second = write_series(tmp_path, prefix="A", series_number=1)
    candidates = [(Found(path.name, str(path), path.stat()), False) for path in (*first, *second)]
    assert [(series.number, len(series.files)) for series in sort_series(candidates).series] == [(1, 8), (2, 8)]
