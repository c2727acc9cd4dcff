"""FreeSurfer volumes."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainsift.scans.errors import ScanError
from brainsift.scans.read import read_file
from tests.scans.nifti_bytes import affine, image


@pytest.mark.parametrize("name", ["scan.mgz", "scan.mgh"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
def test_values_and_place_agree_with_nibabel(tmp_path, name, dtype):
    data = (image() // 8).astype(dtype)
    lia = np.array([[-2.0, 0, 0, 11], [0, 0, 2.0, -9], [0, -2.5, 0, 12], [0, 0, 0, 1]])
    nib.MGHImage(data, lia).to_filename(tmp_path / name)
    volume = read_file(tmp_path / name)
    reference = nib.as_closest_canonical(nib.load(tmp_path / name))
    np.testing.assert_array_equal(volume.data, np.asarray(reference.dataobj, dtype=np.float32))
    np.testing.assert_allclose(volume.affine, reference.affine, atol=1e-4)
    np.testing.assert_array_equal(volume.input_grid.restore(volume.data), data)
    assert volume.facts.format == "mgz"


def test_first_of_several_frames_is_used(tmp_path):
    data = np.stack([image(seed=s) for s in range(3)], axis=-1).astype(np.float32)
    nib.MGHImage(data, affine()).to_filename(tmp_path / "scan.mgz")
    volume = read_file(tmp_path / "scan.mgz")
    np.testing.assert_array_equal(volume.data, data[..., 0])
    assert "The first of 3 volumes was used." in volume.facts.repairs


def test_missing_orientation_is_said(tmp_path):
    path = tmp_path / "scan.mgh"
    nib.MGHImage(image().astype(np.float32), affine()).to_filename(path)
    whole = bytearray(path.read_bytes())
    whole[28:30] = b"\0\0"
    path.write_bytes(whole)
    assert any("no orientation" in repair for repair in read_file(path).facts.repairs)


@pytest.mark.parametrize(
    ("at", "value", "kind"),
    [
        (0, (2).to_bytes(4, "big"), "wrong_magic"),
        (4, (-5).to_bytes(4, "big", signed=True), "bad_dimensions"),
        (4, (2_000_000_000).to_bytes(4, "big"), "truncated"),
        (20, (77).to_bytes(4, "big"), "unsupported_dtype"),
        (30, b"\x7f\xc0\0\0", "bad_affine"),
    ],
)
def test_spoiled_headers_are_refused(tmp_path, at, value, kind):
    path = tmp_path / "scan.mgh"
    nib.MGHImage(image().astype(np.float32), affine()).to_filename(path)
    whole = bytearray(path.read_bytes())
    whole[at : at + len(value)] = value
    path.write_bytes(whole)
    with pytest.raises(ScanError) as caught:
        read_file(path)
    assert caught.value.kind == kind
