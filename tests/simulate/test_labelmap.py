from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.simulate.head import brain_and_csf, draw_head, render_head
from brainsift.simulate.labelmap import LabelMap, coarse_step, load_label_map, make_label_map
from tests.simulate.phantom import SPACING_MM, phantom_labels, write_phantom


def _write(path: Path, array: np.ndarray, spacing: tuple[float, ...] = (2.0, 2.0, 2.0)) -> Path:
    nib.save(nib.Nifti1Image(array, np.diag([*spacing, 1.0])), path)
    return path


def test_codes_point_at_the_labels_of_the_file(tmp_path: Path) -> None:
    head = load_label_map(write_phantom(tmp_path / "head.nii.gz"))
    labels = head.values[head.codes]
    expected = phantom_labels()
    assert head.values.tolist() == np.unique(expected).tolist()
    assert np.array_equal(np.bincount(labels.ravel())[1:], np.bincount(expected.ravel())[1:])
    assert head.spacing_mm == SPACING_MM


def test_any_orientation_gives_the_same_map(tmp_path: Path) -> None:
    plain = load_label_map(write_phantom(tmp_path / "plain.nii.gz"))
    image = nib.load(tmp_path / "plain.nii.gz")
    to_lia = nib.orientations.axcodes2ornt(("L", "I", "A"))
    turned = image.as_reoriented(nib.orientations.ornt_transform(nib.io_orientation(image.affine), to_lia))
    assert nib.aff2axcodes(turned.affine) == ("L", "I", "A")
    nib.save(turned, tmp_path / "turned.nii.gz")
    assert np.array_equal(load_label_map(tmp_path / "turned.nii.gz").codes, plain.codes)


def test_an_anisotropic_map_is_refused_with_its_voxel_size(tmp_path: Path) -> None:
    path = _write(tmp_path / "flat.nii.gz", np.ones((8, 8, 8), np.int16), (1.0, 1.0, 3.0))
    with pytest.raises(ValueError, match=r"flat.nii.gz: label maps must be isotropic.*1.0, 1.0, 3.0.*resample"):
        load_label_map(path)


def test_a_scan_in_place_of_a_label_map_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "scan.nii.gz", np.random.default_rng(0).random((8, 8, 8)).astype(np.float32))
    with pytest.raises(ValueError, match="not the scan"):
        load_label_map(path)


def test_an_empty_map_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one label"):
        make_label_map(np.zeros((4, 4, 4), np.int32), 1.0)


def test_values_of_aparc_aseg_are_brain(rng: np.random.Generator) -> None:
    labels = phantom_labels()
    labels[labels == 3] = 1001
    labels[labels == 42] = 2035
    labels[labels == 2] = 3001
    labels[labels == 41] = 4035
    head = make_label_map(labels, SPACING_MM)
    plain = make_label_map(phantom_labels(), SPACING_MM)
    parameters = draw_head(rng, head, "mprage")
    means = dict(zip(parameters.contrast.values, parameters.contrast.means, strict=True))
    assert means[1001] == means[2035]
    assert means[3001] == means[4035]
    assert brain_volume(head) == brain_volume(plain)


def test_a_map_of_the_brain_alone_can_be_rendered(rng: np.random.Generator) -> None:
    labels = phantom_labels()
    labels[labels >= 500] = 0
    head = make_label_map(labels, SPACING_MM)
    simulated = render_head(head, draw_head(rng, head), (48, 56, 48), 4.0)
    assert np.isfinite(simulated.image).all()
    assert simulated.labels.max() < 500


def test_the_centre_is_that_of_the_brain_not_of_the_head(phantom: LabelMap) -> None:
    labels = phantom.values[phantom.codes]
    brain = np.argwhere((labels > 0) & (labels < 500))
    assert np.allclose(phantom.centre, brain.mean(axis=0))


@pytest.mark.parametrize(("spacing", "step"), [(1.0, 4), (1.25, 3), (2.0, 2), (3.0, 1), (8.0, 1)])
def test_the_coarse_grid_is_made_of_whole_voxels(spacing: float, step: int) -> None:
    assert coarse_step(spacing) == step


def brain_volume(head: LabelMap) -> int:
    brain, _ = brain_and_csf(head.values)
    return int(np.count_nonzero(brain[head.codes]))
