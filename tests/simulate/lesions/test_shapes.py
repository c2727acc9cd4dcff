from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.simulate.lesions.shapes import ShapeBank, load_shapes
from tests.simulate.lesions.conftest import REAL_AT_MM


def test_lesions_are_cut_out_with_their_volume_and_place(bank: ShapeBank) -> None:
    assert len(bank.shapes) == 2
    by_size = sorted(bank.shapes, key=lambda shape: -shape.volume_mm3)
    for shape, centre, radius in zip(by_size, REAL_AT_MM, (5.0, 4.0), strict=True):
        np.testing.assert_allclose(shape.centre_mm, centre, atol=0.01)
        assert shape.volume_mm3 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.05)
        assert np.count_nonzero(shape.inside_mm > 0) == shape.volume_mm3
        assert shape.inside_mm.max() == pytest.approx(radius, abs=0.6)
    assert bank.load_ml("p01") == pytest.approx(sum(s.volume_mm3 for s in bank.shapes) / 1000)


def test_masks_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no lesion mask"):
        load_shapes(tmp_path)
    path = tmp_path / "p.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((8, 8, 8), np.uint8), np.eye(4)), path)
    with pytest.raises(ValueError, match="none of 1 lesion masks"):
        load_shapes(tmp_path)
    nib.save(nib.Nifti1Image(np.ones((8, 8, 8), np.uint8), np.diag([1.0, 1, 3, 1])), path)
    with pytest.raises(ValueError, match="isotropic"):
        load_shapes(tmp_path)
