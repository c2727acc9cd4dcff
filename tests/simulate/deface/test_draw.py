from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.evaluate.labels import read_labels
from brainsift.simulate.deface.child import as_child
from brainsift.simulate.deface.draw import draw_defaced_example
from brainsift.simulate.deface.geometry import HeadGeometry, Region
from brainsift.simulate.deface.marked import MarkedHead
from brainsift.simulate.deface.scene import draw_scene, make_scene, paint_scene
from brainsift.simulate.deface.study import simulate_deface
from brainsift.simulate.deface.tools import TOOLS
from brainsift.simulate.deface.truth import LABELS
from brainsift.simulate.head import brain_and_csf

COARSE_MM = 4.0


def test_an_example_is_its_original_but_for_what_was_changed(marked: MarkedHead) -> None:
    for seed in range(4):
        example = draw_defaced_example(
            np.random.default_rng(seed), marked, label=LABELS[seed], donors=[marked], spacing_mm=COARSE_MM
        )
        assert example.image.shape == example.original_image.shape == example.brain.shape
        assert np.array_equal(example.image[~example.changed], example.original_image[~example.changed])
        assert np.isfinite(example.image).all()
        assert np.allclose(np.linalg.norm(example.affine[:3, :3], axis=0), example.spacing_mm)
        assert example.truth.label in LABELS
        json.dumps([example.parameters, example.truth.to_dict()])


def test_the_same_seed_gives_the_same_example(marked: MarkedHead) -> None:
    first, second, third = (
        draw_defaced_example(np.random.default_rng(seed), marked, spacing_mm=COARSE_MM) for seed in (5, 5, 6)
    )
    assert np.array_equal(first.image, second.image)
    assert first.truth == second.truth
    assert first.parameters != third.parameters


def test_a_tool_that_is_held_out_is_never_drawn(marked: MarkedHead) -> None:
    rng = np.random.default_rng(2)
    drawn = {
        draw_defaced_example(rng, marked, label="failed", exclude=("plane",), spacing_mm=8.0).tool for _ in range(12)
    }
    assert "plane" not in drawn
    assert "reface" not in drawn  # nobody lends a face
    assert len(drawn) >= 3
    with pytest.raises(ValueError, match="donors"):
        draw_defaced_example(rng, marked, tools=("reface",), spacing_mm=8.0)
    with pytest.raises(ValueError, match="got 'good'"):
        draw_defaced_example(rng, marked, label="good", spacing_mm=8.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("axis", "step"), [(2, 1), (0, 2), (1, 3), (2, 3)])
def test_the_affines_put_the_brain_in_its_box_whatever_the_slices(axis: int, step: int, marked: MarkedHead) -> None:
    drawn = replace(draw_scene(np.random.default_rng(axis + step), marked, 3.0), slice_axis=axis, slice_step=step)
    scene = make_scene(marked, drawn)
    assert paint_scene(scene).shape == scene.geometry.shape
    assert np.allclose(np.linalg.norm(scene.affine[:3, :3], axis=0), scene.geometry.spacing_mm)
    at = np.argwhere(scene.geometry.brain)
    mni = at @ scene.geometry.to_mni[:3, :3].T + scene.geometry.to_mni[:3, 3]
    assert np.abs(mni.mean(axis=0) - (0, -16, 8)).max() < 12
    assert np.abs(np.quantile(mni[:, 0], [0.001, 0.999]) - (-70, 70)).max() < 10
    # The grid's centre is the origin, thick slices or not.
    whole = make_scene(marked, replace(drawn, slice_step=1))
    there = whole.geometry.to_mni @ np.linalg.inv(whole.affine)
    assert np.allclose(scene.geometry.to_mni @ np.linalg.inv(scene.affine), there)


def test_a_child_has_a_smaller_face_and_the_same_brain(marked: MarkedHead, geometry: HeadGeometry) -> None:
    brain, _ = brain_and_csf(marked.head.values)
    small = as_child(marked, 0.75)
    is_brain = brain[small.head.codes]
    assert np.count_nonzero(is_brain ^ geometry.brain) < 0.02 * np.count_nonzero(geometry.brain)
    regions = small.region_of_code[small.head.codes]
    _, _, z = geometry.mni()
    for region in (Region.NOSE, Region.MOUTH):
        assert np.count_nonzero(regions == region) < 0.9 * np.count_nonzero(geometry.regions == region)
        assert z[regions == region].mean() > z[geometry.regions == region].mean() + 4
    with pytest.raises(ValueError, match="face's size"):
        as_child(marked, 1.2)


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_a_study_has_scans_originals_labels_and_the_truth(phantom_files: list[Path], tmp_path: Path) -> None:
    done: list[int] = []
    rows = _rows(simulate_deface(tmp_path, phantom_files, 4, 5, COARSE_MM, progress=done.append))
    assert done == [1, 2, 3, 4]
    assert [row["aim"] for row in rows] == list(LABELS)
    assert [label.defacing for label in read_labels(tmp_path / "labels.tsv")] == [row["defacing"] for row in rows]
    pairs = _rows(tmp_path / "originals.tsv")
    for row, pair in zip(rows, pairs, strict=True):
        scan, original = (nib.load(tmp_path / pair[name]) for name in ("scan", "original"))
        assert np.allclose(scan.affine, original.affine)
        differs = (np.asanyarray(scan.dataobj) != np.asanyarray(original.dataobj)).any()
        assert differs == (row["slip"] != "skipped")
        note = json.loads((tmp_path / row["scan"].replace(".nii.gz", "_parameters.json")).read_text())
        assert note["truth"]["label"] == row["defacing"]
        assert note["defacing"]["tool"] == row["tool"] in TOOLS


def test_a_study_refuses_an_unknown_tool(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got 'axe'"):
        simulate_deface(tmp_path, tools=("axe",))
