from __future__ import annotations

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from brainsift.evaluate.labels import read_labels
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.example import WmhExample, draw_wmh_example
from brainsift.simulate.lesions.study import simulate_wmh_study

FINE_MM = 2.0


@pytest.fixture(scope="module")
def example(phantom: LabelMap) -> WmhExample:
    """One person with 20 mL and a usual label."""
    return draw_wmh_example(np.random.default_rng(3), phantom, load_ml=20.0, fine_mm=FINE_MM)


def _world(affine: np.ndarray, voxel: tuple[float, ...]) -> np.ndarray:
    return affine[:3, :3] @ np.asarray(voxel) + affine[:3, 3]


def test_truth_and_label_show_the_same_lesions_in_the_same_place(example: WmhExample) -> None:
    assert example.t1w.shape == example.truth.shape
    assert example.t1w.dtype == example.truth.dtype == np.float32
    assert example.load_ml == pytest.approx(20, rel=0.1)
    assert sum(example.kinds.values()) == pytest.approx(example.load_ml, rel=1e-3)
    on_t1w = example.truth.sum() * abs(np.linalg.det(example.t1w_affine)) / 1000
    assert on_t1w == pytest.approx(example.load_ml, rel=0.05)
    assert example.coarse is not None
    assert example.coarse_affine is not None
    assert example.flair is not None
    assert example.flair.shape == example.coarse.shape
    assert set(np.unique(example.coarse)) == {0, 1}
    label_at = _world(example.coarse_affine, ndimage.center_of_mass(example.coarse))
    truth_at = _world(example.t1w_affine, ndimage.center_of_mass(example.truth))
    assert np.linalg.norm(label_at - truth_at) < 6
    steps = np.linalg.norm(example.coarse_affine[:3, :3], axis=0)
    assert steps[2] == pytest.approx(example.slice_thickness_mm + example.slice_gap_mm)
    assert example.bad_label is None


def test_the_same_seed_gives_the_same_example_with_or_without_a_flair(example: WmhExample, phantom: LabelMap) -> None:
    rng = np.random.default_rng(3)
    alone = draw_wmh_example(rng, phantom, load_ml=20.0, flair=False, coarse=False, fine_mm=FINE_MM)
    np.testing.assert_array_equal(alone.t1w, example.t1w)
    np.testing.assert_array_equal(alone.truth, example.truth)
    assert alone.flair is alone.coarse is alone.flair_affine is alone.coarse_affine is None
    assert alone.slice_thickness_mm == 0
    again = draw_wmh_example(np.random.default_rng(3), phantom, load_ml=20.0, flair=False, fine_mm=FINE_MM)
    assert again.flair is None
    np.testing.assert_array_equal(again.coarse, example.coarse)
    json.dumps(example.parameters)


def test_a_head_without_lesions_has_an_empty_truth_and_a_bad_label_is_flagged(phantom: LabelMap) -> None:
    drawn = draw_wmh_example(
        np.random.default_rng(4), phantom, load_ml=0.0, flair=False, bad_label_share=1.0, fine_mm=FINE_MM
    )
    assert drawn.load_ml == 0
    assert not drawn.truth.any()
    assert drawn.bad_label == "other_person"
    assert drawn.coarse is not None
    assert drawn.coarse.any()
    assert drawn.parameters["rating"]["dice_with_perfect"] == 0


def test_a_study_holds_scans_masks_and_tables_that_fit(phantom_files: list[Path], tmp_path: Path) -> None:
    done: list[int] = []
    table = simulate_wmh_study(tmp_path, phantom_files, 2, 5, None, 0.5, FINE_MM, done.append)
    assert done == [1, 2]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for name, suffix in (("labels.tsv", "truth"), ("labels_coarse.tsv", "coarse")):
        labels = read_labels(tmp_path / name)
        assert [label.scan for label in labels] == [row["scan"] for row in rows]
        assert len({label.participant for label in labels}) == 2
        for label, row in zip(labels, rows, strict=True):
            assert label.wmh_mask is not None
            assert suffix in label.wmh_mask.name
            mask = nib.load(tmp_path / label.wmh_mask)
            scan = nib.load(tmp_path / (row["scan"] if suffix == "truth" else row["flair"]))
            assert mask.shape == scan.shape
            np.testing.assert_allclose(mask.affine, scan.affine)
            volume = np.asanyarray(mask.dataobj).sum() * abs(np.linalg.det(mask.affine)) / 1000
            column = "mask_ml" if suffix == "truth" else "coarse_ml"
            assert volume == pytest.approx(float(row[column]), rel=1e-3, abs=1e-3)
    for row in rows:
        sidecar = json.loads((tmp_path / row["flair"].replace(".nii.gz", ".json")).read_text())
        assert sidecar["SliceThickness"] == pytest.approx(float(row["slice_thickness_mm"]), abs=1e-3)
        note = json.loads((tmp_path / row["scan"].replace("_T1w.nii.gz", "_parameters.json")).read_text())
        assert (note["rating"]["fault"] or "") == row["bad_label"]
    assert float(rows[0]["load_ml"]) != float(rows[1]["load_ml"])
