"""NIfTI: values, places and repairs, against nibabel where nibabel reads the file."""

from __future__ import annotations

import gzip
import hashlib
from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest

from brainsift.scans.errors import ScanError
from brainsift.scans.read import read, read_file
from brainsift.scans.ref import ScanRef
from tests.scans.nifti_bytes import affine, content, header, image, put

ORIENTATIONS = [(p, f) for p in permutations(range(3)) for f in product((1, -1), repeat=3)]


def oriented(permutation, signs):
    """Affine whose stored axes run along RAS axes `permutation` in directions `signs`, slightly oblique."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[:, permutation] * signs * np.array([1.0, 1.5, 2.0])
    tilt = np.deg2rad(8)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    matrix[:3, :3] = turn @ matrix[:3, :3]
    matrix[:3, 3] = [3.0, -20.0, 11.0]
    return matrix


@pytest.mark.parametrize(("permutation", "signs"), ORIENTATIONS)
def test_all_48_orientations_come_to_ras_and_go_back_voxel_for_voxel(tmp_path, permutation, signs):
    stored, matrix = image(), oriented(permutation, signs)
    path = put(tmp_path / "scan.nii", content(stored, header(stored, matrix)))
    volume = read_file(path)
    reference = nib.as_closest_canonical(nib.load(path))
    np.testing.assert_array_equal(volume.data, np.asarray(reference.dataobj, dtype=np.float32))
    np.testing.assert_allclose(volume.affine, reference.affine, atol=1e-4)
    np.testing.assert_array_equal(volume.input_grid.restore(volume.data), stored)
    np.testing.assert_allclose(volume.input_grid.affine, matrix, atol=1e-4)
    assert all(stride > 0 for stride in volume.data.strides)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "float32", "float64"]
)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_type_and_byte_order_is_read_with_its_scaling(tmp_path, dtype, order, version):
    data = (image() // 8).astype(dtype)
    whole = content(data, header(data, version=version, order=order), scl_slope=0.5, scl_inter=-7.0)
    volume = read_file(put(tmp_path / "scan.nii.gz", whole))
    np.testing.assert_allclose(volume.data, data.astype(np.float64) * 0.5 - 7, rtol=1e-6)
    assert volume.facts.stored_dtype == dtype
    assert volume.facts.format == f"nifti{version}"


def test_digest_is_of_the_bytes_on_disk(tmp_path):
    path = put(tmp_path / "scan.nii.gz", content(image()))
    assert read_file(path).facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_pair_and_single_file_hold_the_same_volume(tmp_path):
    data = image()
    nib.Nifti1Pair(data, affine()).to_filename(tmp_path / "scan.hdr")
    single = read_file(put(tmp_path / "scan.nii", content(data)))
    for name in ("scan.hdr", "scan.img"):
        np.testing.assert_array_equal(read_file(tmp_path / name).data, single.data)


def test_first_of_several_volumes_is_used_and_said(tmp_path):
    data = np.stack([image(seed=s) for s in range(4)], axis=-1)
    volume = read_file(put(tmp_path / "scan.nii.gz", content(data)))
    np.testing.assert_array_equal(volume.data, data[..., 0])
    assert "The first of 4 volumes was used." in volume.facts.repairs
    assert volume.facts.stored_shape == (12, 14, 10, 4)


def test_nan_and_infinity_become_zero_and_are_counted(tmp_path):
    data = image(dtype="float32")
    data[:2, 0, 0], data[5, 5, 5] = np.nan, -np.inf
    volume = read_file(put(tmp_path / "scan.nii", content(data)))
    assert volume.facts.nonfinite_voxels == 3
    assert volume.data[0, 0, 0] == volume.data[5, 5, 5] == 0
    assert any("3 NaN or infinite" in repair for repair in volume.facts.repairs)


@pytest.mark.parametrize(
    ("fields", "said", "spacing"),
    [
        ({"xyzt_units": 1}, "says metres but", (2, 2, 2.5)),
        ({"xyzt_units": 3}, "says micrometres but", (2, 2, 2.5)),
        ({"sform_code": 0, "qform_code": 0}, "neither sform nor qform", (2, 2, 2.5)),
        ({"pixdim": [1, 0, 0, 0, 0, 0, 0, 0], "qform_code": 0}, "pixdim holds values", (2, 2, 2.5)),
        ({"pixdim": [1, 9, 9, 9, 0, 0, 0, 0], "qform_code": 0}, "pixdim and the affine disagree", (2, 2, 2.5)),
        ({"pixdim": [1, -2, 2, 2.5, 0, 0, 0, 0], "sform_code": 0}, "pixdim holds values", (2, 2, 2.5)),
        ({"quatern_b": 3.0}, "qform is unusable", (2, 2, 2.5)),
        ({"srow_x": [0, 0, 0, 0]}, "sform is unusable; the qform", (2, 2, 2.5)),
        ({"srow_z": [0, 0, 4.0, -12.5]}, "disagree by up to 13.5 mm", (2, 2, 4)),
        ({"scl_slope": np.nan}, "scaling in the header", (2, 2, 2.5)),
        ({"vox_offset": 0}, "vox_offset was 0", (2, 2, 2.5)),
        ({"dim": [4, 12, 14, 10, 1, 1, 1, 1]}, "trailing dimensions", (2, 2, 2.5)),
    ],
)
def test_repairs_are_made_and_said(tmp_path, fields, said, spacing):
    volume = read_file(put(tmp_path / "scan.nii", content(image(), **fields)))
    assert any(said in repair for repair in volume.facts.repairs), volume.facts.repairs
    np.testing.assert_allclose(volume.spacing, spacing, rtol=1e-5)


def test_sound_file_needs_no_repair(tmp_path):
    facts = read_file(put(tmp_path / "scan.nii.gz", content(image()))).facts
    assert facts.repairs == ()
    assert facts.sform_qform_mm == pytest.approx(0, abs=1e-4)


def test_metres_are_brought_to_millimetres_and_masks_keep_the_files_unit(tmp_path):
    matrix = affine()
    matrix[:3] /= 1000
    data = image()
    volume = read_file(put(tmp_path / "scan.nii", content(data, header(data, matrix), xyzt_units=1)))
    np.testing.assert_allclose(volume.affine, affine(), rtol=1e-5)
    np.testing.assert_allclose(volume.input_grid.affine, matrix, rtol=1e-5)
    assert volume.input_grid.unit_code == 1


def test_conflict_is_the_largest_corner_displacement(tmp_path):
    matrix = affine()
    matrix[0, 3] += 3.0
    matrix[1, 3] += 4.0
    whole = content(image(), srow_x=matrix[0], srow_y=matrix[1], srow_z=matrix[2])
    volume = read_file(put(tmp_path / "scan.nii", whole))
    assert volume.facts.sform_qform_mm == pytest.approx(5.0, abs=1e-4)
    np.testing.assert_allclose(volume.affine, matrix, atol=1e-4)


def test_memory_limit_is_kept(tmp_path):
    path = put(tmp_path / "scan.nii.gz", content(image()))
    with pytest.raises(ScanError) as caught:
        read(ScanRef("scan.nii.gz", "scan", "nifti", (path,), 0, 0), memory_limit_bytes=5000)
    assert caught.value.kind == "too_large"


def test_sidecar_fields_pass_the_allow_list_and_damage_is_only_a_repair(tmp_path):
    path = put(tmp_path / "scan.nii.gz", content(image()))
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"EchoTime": 0.09, "PatientName": "Doe", "SeriesDescription": "ax FLAIR Doe"}')
    bad.write_text('{"EchoTime": ')
    ref = ScanRef("scan.nii.gz", "scan", "nifti", (path,), 0, 0, sidecar=good)
    assert read(ref).facts.header == {"EchoTime": 0.09, "SequenceHint": "FLAIR"}
    spoiled = read(ScanRef("scan.nii.gz", "scan", "nifti", (path,), 0, 0, sidecar=bad)).facts
    assert spoiled.header == {}
    assert any("sidecar" in repair for repair in spoiled.repairs)


def test_reading_gzip_from_any_packer(tmp_path):
    whole = content(image())
    for level in (0, 1, 9):
        path = tmp_path / f"level{level}.nii.gz"
        path.write_bytes(gzip.compress(whole, level))
        assert read_file(path).facts.repairs == ()
