"""Masks on the input grid."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainsift.scans.read import read_file
from brainsift.scans.write import write_like_input
from tests.scans.nifti_bytes import content, header, image, put
from tests.scans.test_nifti import oriented

FORMS = [
    {},
    {"qform_code": 0},
    {"sform_code": 0},
    {"sform_code": 4, "qform_code": 2},
    {"sform_code": 0, "qform_code": 0},
]


@pytest.mark.parametrize("name", ["mask.nii", "mask.nii.gz"])
@pytest.mark.parametrize("fields", FORMS)
def test_mask_lies_on_the_scans_own_grid_with_its_codes(tmp_path, name, fields):
    stored = image()
    path = put(tmp_path / "scan.nii", content(stored, header(stored, oriented((2, 0, 1), (-1, 1, -1))), **fields))
    volume = read_file(path)
    write_like_input(volume, volume.data > 400, tmp_path / "out" / name, np.uint8)
    scan, mask = nib.load(path), nib.load(tmp_path / "out" / name)
    np.testing.assert_array_equal(np.asarray(mask.dataobj), stored > 400)
    np.testing.assert_allclose(mask.affine, scan.affine, atol=1e-4)
    assert mask.get_data_dtype() == np.uint8
    if fields != FORMS[-1]:
        for code in ("sform_code", "qform_code"):
            assert int(mask.header[code]) == int(scan.header[code])
    assert [p.name for p in (tmp_path / "out").iterdir()] == [name]


def test_sform_is_kept_to_the_bit(tmp_path):
    stored = image()
    path = put(tmp_path / "scan.nii", content(stored, header(stored, oriented((1, 2, 0), (1, -1, -1)))))
    write_like_input(read_file(path), read_file(path).data, tmp_path / "map.nii", np.float32)
    np.testing.assert_array_equal(nib.load(tmp_path / "map.nii").header.get_sform(), nib.load(path).header.get_sform())


def test_sheared_affine_is_kept(tmp_path):
    stored, matrix = image(), oriented((0, 1, 2), (1, 1, 1))
    matrix[0, 1] += 0.3
    whole = content(stored, srow_x=matrix[0], srow_y=matrix[1], srow_z=matrix[2], qform_code=0)
    volume = read_file(put(tmp_path / "scan.nii", whole))
    write_like_input(volume, volume.data, tmp_path / "map.nii", np.float32)
    np.testing.assert_allclose(nib.load(tmp_path / "map.nii").affine, matrix, atol=1e-5)


def test_same_content_gives_the_same_bytes(tmp_path):
    volume = read_file(put(tmp_path / "scan.nii", content(image())))
    for name in ("a.nii.gz", "b.nii.gz"):
        write_like_input(volume, volume.data > 400, tmp_path / name, np.uint8)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_wrong_shape_name_or_range_is_refused_and_leaves_nothing(tmp_path):
    volume = read_file(put(tmp_path / "scan.nii", content(image())))
    with pytest.raises(ValueError, match="shape"):
        write_like_input(volume, volume.data[1:], tmp_path / "x.nii", np.uint8)
    with pytest.raises(ValueError, match=r"\.nii"):
        write_like_input(volume, volume.data, tmp_path / "x.mgz", np.float32)
    with pytest.raises(ValueError, match="do not fit"):
        write_like_input(volume, volume.data, tmp_path / "x.nii", np.uint8)
    assert [p.name for p in tmp_path.iterdir()] == ["scan.nii"]
