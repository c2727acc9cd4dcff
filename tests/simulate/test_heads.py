from __future__ import annotations

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.simulate.head import render_head
from brainsift.simulate.heads import grid_shape, simulate_heads
from brainsift.simulate.labelmap import load_label_map
from brainsift.simulate.sources import list_label_maps
from brainsift.simulate.stored import load_parameters
from brainsift.simulate.truth import volumes_ml

SPACING_MM = 4.0


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_scan_has_image_labels_parameters_and_truth(phantom_files: list[Path], tmp_path: Path) -> None:
    done: list[int] = []
    table = simulate_heads(tmp_path, phantom_files, n=4, seed=3, spacing_mm=SPACING_MM, progress=done.append)
    rows = _rows(table)
    assert done == [1, 2, 3, 4]
    assert [row["scan"] for row in rows] == [f"head_{i:04d}.nii.gz" for i in range(1, 5)]
    for row in rows:
        stem = tmp_path / row["scan"].removesuffix(".nii.gz")
        image, labels = nib.load(f"{stem}.nii.gz"), nib.load(f"{stem}_labels.nii.gz")
        assert image.shape == labels.shape == grid_shape(SPACING_MM)
        assert np.allclose(image.affine, labels.affine)
        brain, icv = volumes_ml(np.asanyarray(labels.dataobj), SPACING_MM**3)
        assert float(row["brain_ml"]) == pytest.approx(brain, abs=1e-3)
        assert float(row["icv_ml"]) == pytest.approx(icv, abs=1e-3)
        assert 0 <= float(row["brain_outside_fov"]) < 1


def test_stored_parameters_make_the_labels_again(phantom_files: list[Path], tmp_path: Path) -> None:
    simulate_heads(tmp_path, phantom_files, n=1, seed=4, spacing_mm=SPACING_MM)
    note = json.loads((tmp_path / "head_0001_parameters.json").read_text())
    head = load_label_map(phantom_files[0].with_name(note["label_map"]))
    again = render_head(
        head, load_parameters(tmp_path / "head_0001_parameters.json"), tuple(note["shape"]), note["spacing_mm"]
    )
    assert np.array_equal(again.labels, np.asanyarray(nib.load(tmp_path / "head_0001_labels.nii.gz").dataobj))


def test_a_cut_scan_reports_the_share_that_is_missing(phantom_files: list[Path], tmp_path: Path) -> None:
    rows = _rows(simulate_heads(tmp_path, phantom_files, n=12, seed=5, spacing_mm=8.0))
    cut, whole = [], []
    for row in rows:
        coverage = load_parameters(tmp_path / row["scan"].replace(".nii.gz", "_parameters.json")).coverage
        near = min(*(-v for v in coverage.low_mm), *coverage.high_mm)
        (cut if near < 40 else whole if near > 100 else []).append(float(row["brain_outside_fov"]))
    assert cut
    assert whole
    assert min(cut) > 0.02
    assert max(whole) < 0.02


@pytest.mark.parametrize(("contrast", "kinds"), [("FLAIR", {"flair"}), ("T1w", {"mprage", "spgr", "t1_se"})])
def test_a_contrast_can_be_asked_for(contrast: str, kinds: set[str], phantom_files: list[Path], tmp_path: Path) -> None:
    rows = _rows(simulate_heads(tmp_path, phantom_files, n=3, contrast=contrast, spacing_mm=8.0))
    assert {row["sequence"] for row in rows} == {contrast}
    drawn = {load_parameters(p).contrast.kind for p in tmp_path.glob("*_parameters.json")}
    assert drawn <= kinds


def test_an_unknown_contrast_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"T1w, T2w, FLAIR.*got T3w"):
        simulate_heads(tmp_path, contrast="T3w")


def test_heads_come_from_the_packaged_atlas_where_no_maps_are_given(tmp_path: Path) -> None:
    (row,) = _rows(simulate_heads(tmp_path, n=1, seed=2, contrast="T1w", spacing_mm=4.0))
    assert json.loads((tmp_path / "head_0001_parameters.json").read_text())["label_map"] == "atlas"
    assert float(row["icv_ml"]) > 100


def test_a_folder_without_label_maps_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match="no label map"):
        list_label_maps(tmp_path)
