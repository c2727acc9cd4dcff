"""The real scans: all read, on the right grid."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainsift.scans.catalog import catalog
from brainsift.scans.conform import to_working_grid
from brainsift.scans.read import read


@pytest.mark.parametrize("folder", ["scans", "wmh", "mars_atlas", "deface_masks"])
def test_real_images_agree_with_nibabel(data_folder, folder):
    refs = list(catalog(data_folder / folder))
    assert refs
    for ref in refs:
        volume = read(ref)
        loaded = nib.load(ref.paths[0])
        first = np.asarray(loaded.dataobj, dtype=np.float32)
        first = first.reshape((*first.shape[:3], -1))[..., 0]
        np.testing.assert_allclose(
            volume.input_grid.restore(volume.data), np.nan_to_num(first), rtol=1e-5, err_msg=ref.scan
        )
        np.testing.assert_allclose(volume.input_grid.affine, loaded.affine, atol=1e-4, err_msg=ref.scan)


def test_label_maps_are_read_to_the_integer(data_folder):
    refs = list(catalog(data_folder / "label_maps"))
    assert len(refs) == 20
    volume = read(refs[0])
    np.testing.assert_array_equal(volume.data, np.rint(volume.data))
    assert volume.shape == (256, 256, 256)


def test_real_series_becomes_the_volume_that_its_headers_promise(data_folder):
    (ref,) = catalog(data_folder / "dicom")
    assert ref.scan == "series_a"
    assert len(ref.paths) == 192
    volume = read(ref)
    assert volume.shape == (192, 256, 256)
    np.testing.assert_allclose(volume.spacing, (0.9, 0.859375, 0.859375), rtol=1e-4)
    assert volume.facts.repairs == ()
    assert volume.facts.header["SequenceHint"] == "T1w"
    array, _ = to_working_grid(volume)
    assert np.isfinite(array).all()
