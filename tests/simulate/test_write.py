from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.scans.nifti import read_nifti
from brainsift.simulate.head import SimulatedHead, draw_head, render_head
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.write import (
    FileLayout,
    crop,
    draw_layout,
    sample,
    sidecar_path,
    voxel_average,
    write_labels,
    write_scan,
)

GRID, SPACING_MM = (44, 52, 64), 4.0


@pytest.fixture
def head(phantom: LabelMap) -> SimulatedHead:
    return render_head(phantom, draw_head(np.random.default_rng(1), phantom, "mprage"), GRID, SPACING_MM)


@pytest.mark.parametrize("ratio", [0.9, 1.0, 2.0, 4.7])
def test_a_stored_voxel_averages_what_lies_in_it(ratio: float) -> None:
    row = np.random.default_rng(0).random(50)
    matrix, first = voxel_average(50, ratio)
    assert np.allclose(matrix.sum(axis=1), 1, atol=1e-6)
    for number, mean in enumerate(matrix @ row):
        centre = first + number * ratio
        points = centre + ((np.arange(4000) + 0.5) / 4000 - 0.5) * ratio
        # 4000 points a voxel: a share is off by 1/4000 of it at the most, at either end.
        assert mean == pytest.approx(row[np.clip(np.round(points), 0, 49).astype(int)].mean(), abs=2e-3)


def test_sampling_keeps_the_centre_and_the_mean(head: SimulatedHead) -> None:
    image, affine = sample(head.image, head.affine, (3.0, 4.0, 10.0))
    middle = affine @ [*((np.asarray(image.shape) - 1) / 2), 1]
    assert np.allclose(middle[:3], 0, atol=1e-9)
    assert np.allclose(np.linalg.norm(affine[:3, :3], axis=0), (3, 4, 10))
    assert image.mean() == pytest.approx(head.image.mean(), rel=0.05)


@pytest.mark.parametrize("orientation", ["RAS", "LAS", "LPS", "LIA", "PSR", "ASL", "RPI"])
def test_any_order_of_the_axes_is_read_back_as_the_same_head(
    orientation: str, head: SimulatedHead, tmp_path: Path
) -> None:
    path = tmp_path / "scan.nii.gz"
    write_scan(head, path, FileLayout((SPACING_MM,) * 3, orientation))
    image = nib.load(path)
    assert "".join(nib.aff2axcodes(image.affine)) == orientation
    volume = read_nifti(path)
    assert volume.shape == GRID
    assert np.allclose(volume.affine, head.affine, atol=1e-4)
    assert np.corrcoef(volume.data.ravel(), np.clip(head.image, 0, None).ravel())[0, 1] > 0.999


def test_scans_are_16_bit_whole_numbers_with_their_slope(head: SimulatedHead, tmp_path: Path) -> None:
    path = tmp_path / "scan.nii.gz"
    write_scan(head, path, FileLayout((SPACING_MM,) * 3, slope=2.5))
    image = nib.load(path)
    assert image.get_data_dtype() == np.int16
    assert image.dataobj.slope == 2.5
    whole = image.dataobj.get_unscaled()
    assert whole.min() >= 0
    assert 3000 < whole.max() <= 4095
    assert np.allclose(np.asanyarray(image.dataobj), whole * 2.5)


def test_oblique_scans_turn_in_space_and_not_in_the_file(head: SimulatedHead, tmp_path: Path) -> None:
    plain, turned = FileLayout((SPACING_MM,) * 3), FileLayout((SPACING_MM,) * 3, oblique_deg=(10.0, 0.0, -7.0))
    write_scan(head, tmp_path / "plain.nii", plain)
    write_scan(head, tmp_path / "turned.nii", turned)
    a, b = nib.load(tmp_path / "plain.nii"), nib.load(tmp_path / "turned.nii")
    assert np.array_equal(a.dataobj.get_unscaled(), b.dataobj.get_unscaled())
    rotation = b.affine[:3, :3] @ np.linalg.inv(a.affine[:3, :3])
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
    assert np.rad2deg(np.arccos((np.trace(rotation) - 1) / 2)) == pytest.approx(12.2, abs=0.1)


@pytest.mark.parametrize(("qform", "sform"), [(1, 1), (1, 0), (0, 1), (1, 2)])
def test_transforms_carry_their_codes(qform: int, sform: int, head: SimulatedHead, tmp_path: Path) -> None:
    path = tmp_path / "scan.nii.gz"
    write_scan(head, path, FileLayout((SPACING_MM,) * 3, "LPS", (3.0, 2.0, 1.0), qform, sform))
    header = nib.load(path).header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (qform, sform)
    if qform and sform:
        assert np.allclose(header.get_qform(), header.get_sform(), atol=1e-3)


def test_thick_slices_are_2d_and_the_sidecar_says_so(head: SimulatedHead, tmp_path: Path) -> None:
    path = tmp_path / "sub-01_T1w.nii.gz"
    write_scan(head, path, FileLayout((2.0, 2.0, 12.0)))
    assert nib.load(path).shape == (88, 104, 21)
    sidecar = json.loads(sidecar_path(path).read_text())
    settings = head.parameters.contrast.settings
    assert sidecar["MRAcquisitionType"] == "2D"
    assert sidecar["SliceThickness"] == 12.0
    assert sidecar["RepetitionTime"] == pytest.approx(settings["tr"] / 1000, abs=1e-5)
    assert sidecar["InversionTime"] == pytest.approx(settings["ti"] / 1000, abs=1e-5)


def test_labels_are_stored_unchanged(head: SimulatedHead, tmp_path: Path) -> None:
    write_labels(head, tmp_path / "labels.nii.gz", FileLayout(orientation="LIA"))
    back = nib.as_closest_canonical(nib.load(tmp_path / "labels.nii.gz"))
    assert np.array_equal(np.asanyarray(back.dataobj), head.labels)


def test_the_same_scan_gives_the_same_bytes(head: SimulatedHead, tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_scan(head, tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_crop_keeps_what_lies_between_its_corners(head: SimulatedHead) -> None:
    part = crop(head, (-999, -999, -20), (999, 999, 30))
    z_mm = part.affine[2, 3] + SPACING_MM * np.arange(part.image.shape[2])
    assert z_mm.min() >= -20
    assert z_mm.max() <= 30
    assert part.image.shape[2] == np.count_nonzero(
        np.abs(head.affine[2, 3] + SPACING_MM * np.arange(GRID[2]) - 5) <= 25
    )
    offset = round((part.affine[2, 3] - head.affine[2, 3]) / SPACING_MM)
    assert np.array_equal(part.labels, head.labels[:, :, offset : offset + part.labels.shape[2]])


def test_a_crop_beside_the_grid_is_refused(head: SimulatedHead) -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        crop(head, (500, 0, 0), (600, 1, 1))


def test_drawn_layouts_are_seeded_and_readable(rng: np.random.Generator) -> None:
    drawn = [draw_layout(rng) for _ in range(60)]
    assert drawn[0] == draw_layout(np.random.default_rng(20))
    assert {len(set(d.orientation)) for d in drawn} == {3}
    assert all(d.qform_code or d.sform_code for d in drawn)
    assert 0 < sum(any(d.oblique_deg) for d in drawn) < 60
    assert replace(drawn[0], voxel_mm=(0.9, 0.9, 5.0)).dimension == "2D"
