from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from brainsift.evaluate.detection.points import read_points
from brainsift.evaluate.labels import read_labels
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.susceptibility.bleeds import VARIOUS_MM, draw_bleed, draw_count
from brainsift.simulate.susceptibility.example import BleedExample, Mimic, draw_bleed_example
from brainsift.simulate.susceptibility.place import REGIONS, PlaceFinder
from brainsift.simulate.susceptibility.study import simulate_bleeds_study

FINE_MM = 2.0
VOXEL_MM = (1.0, 1.0, 2.0)


@pytest.fixture(scope="module")
def example(phantom: LabelMap) -> BleedExample:
    """A head with six bleeds."""
    return draw_bleed_example(np.random.default_rng(3), phantom, count=6, voxel_mm=VOXEL_MM, fine_mm=FINE_MM)


def test_images_masks_and_bleeds_are_of_one_grid(example: BleedExample) -> None:
    assert list(example.images) == ["gre", "swi", "qsm"]
    for image in example.images.values():
        assert image.dtype == np.float32
        assert image.shape == example.truth.shape == example.mimics.shape
        assert np.isfinite(image).all()
    assert example.images["gre"].min() >= 0
    assert (example.images["swi"] <= example.images["gre"] + 1e-6).all()
    assert example.images["qsm"].min() < 0 < example.images["qsm"].max()
    assert (example.images["qsm"] == 0).mean() > 0.4
    np.testing.assert_allclose(np.linalg.norm(example.affine[:3, :3], axis=0), VOXEL_MM)
    assert np.linalg.det(example.affine[:3, :3]) > 0
    assert set(np.unique(example.mimics)) <= {0, *Mimic}
    assert (example.mimics == Mimic.VEIN).any()
    json.dumps(example.parameters)


def test_each_bleed_is_marked_where_it_is_and_is_dark_or_bright_there(example: BleedExample) -> None:
    assert 4 <= len(example.bleeds) <= 6
    assert set(np.unique(example.truth)) == {0, *(bleed.number for bleed in example.bleeds)}
    gre, qsm = example.images["gre"], example.images["qsm"]
    darker, brighter = 0, 0
    for bleed in example.bleeds:
        mark = example.truth == bleed.number
        centre = np.array(ndimage.center_of_mass(mark))
        assert np.linalg.norm((centre - bleed.voxel) * VOXEL_MM) < 2.5
        np.testing.assert_allclose(example.affine[:3, :3] @ bleed.voxel + example.affine[:3, 3], bleed.mm)
        volume = mark.sum() * np.prod(VOXEL_MM)
        assert bleed.seen_diameter_mm == pytest.approx((6 * volume / np.pi) ** (1 / 3))
        assert bleed.place == REGIONS[bleed.region].place
        assert not example.mimics[mark].any()
        around = ndimage.binary_dilation(mark, iterations=3) & (example.truth == 0) & (qsm != 0)
        darker += gre[mark].mean() < 0.8 * gre[around].mean()
        brighter += qsm[mark].max() > qsm[around].mean() + 0.05
    assert darker >= len(example.bleeds) - 1
    assert brighter >= len(example.bleeds) - 1


def test_the_same_seed_gives_the_same_head_whichever_images_are_made(example: BleedExample, phantom: LabelMap) -> None:
    rng = np.random.default_rng(3)
    alone = draw_bleed_example(rng, phantom, count=6, voxel_mm=VOXEL_MM, fine_mm=FINE_MM, modalities=("qsm",))
    assert list(alone.images) == ["qsm"]
    np.testing.assert_array_equal(alone.images["qsm"], example.images["qsm"])
    np.testing.assert_array_equal(alone.truth, example.truth)
    assert alone.bleeds == example.bleeds


def test_a_head_without_bleeds_has_none_and_slices_may_lie_in_any_plane(phantom: LabelMap) -> None:
    for axis, voxel in ((0, (3.0, 1.2, 1.2)), (1, (1.2, 3.0, 1.2))):
        drawn = draw_bleed_example(
            np.random.default_rng(axis), phantom, count=0, voxel_mm=voxel, fine_mm=FINE_MM, modalities=("gre",)
        )
        assert drawn.bleeds == ()
        assert not drawn.truth.any()
        assert drawn.parameters["scanner"]["slice_axis"] == axis
        np.testing.assert_allclose(np.linalg.norm(drawn.affine[:3, :3], axis=0), voxel)


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": -1},
        {"modalities": ("flair",)},
        {"modalities": ()},
        {"voxel_mm": (0.0, 1.0, 1.0)},
        {"slice_axis": 3},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], phantom: LabelMap) -> None:
    with pytest.raises(ValueError, match="got"):
        draw_bleed_example(np.random.default_rng(0), phantom, **wrong)  # type: ignore[arg-type]


def test_half_of_heads_have_no_bleed_and_some_have_many() -> None:
    rng = np.random.default_rng(1)
    counts = np.array([draw_count(rng) for _ in range(2000)])
    assert 0.46 < (counts == 0).mean() < 0.54
    assert 0.1 < (counts >= 4).mean() < 0.3
    assert counts.max() >= 13


def test_bleeds_of_any_look_are_of_all_sizes_and_some_hardly_bloom() -> None:
    def drawn(various: bool) -> list[tuple[float, float, float]]:
        rng = np.random.default_rng(4)
        blobs = [draw_bleed(rng, "cortex", np.zeros(3), various=various) for _ in range(400)]
        return [(2 * max(ball.radius_mm for ball in one.balls), one.chi_ppm, one.water) for one in blobs]

    usual, various = (np.array(drawn(kind)) for kind in (False, True))
    assert np.mean(usual[:, 0] > 4) < 0.05
    assert np.mean(various[:, 0] > 4) > 0.25
    assert various[:, 0].max() <= VARIOUS_MM[1]
    assert np.mean((various[:, 0] > 4) & (various[:, 1] < 0.3)) > 0.05


def test_a_share_of_the_bleeds_is_of_any_look_and_none_is_by_default(phantom: LabelMap) -> None:
    how = {"count": 12, "voxel_mm": VOXEL_MM, "fine_mm": FINE_MM, "modalities": ("gre",)}
    usual, again, various = (
        draw_bleed_example(np.random.default_rng(5), phantom, **more, **how)  # type: ignore[arg-type]
        for more in ({}, {"various": 0.0}, {"various": 1.0})
    )
    assert usual.bleeds == again.bleeds
    assert max(one.diameter_mm for one in usual.bleeds) < 5 < max(one.diameter_mm for one in various.bleeds)


def test_places_lie_in_the_labels_of_their_region_and_mostly_in_the_cortex(phantom: LabelMap) -> None:
    drawn = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        finder = PlaceFinder(rng, phantom)
        drawn += [found for _ in range(4) if (found := finder.draw(rng)) is not None]
    for region, at in drawn:
        x, y, z = (int(v) for v in np.rint(at))
        assert phantom.values[phantom.codes[x, y, z]] in REGIONS[region].labels
    shares = {place: np.mean([REGIONS[name].place == place for name, _ in drawn]) for place in ("lobar", "deep")}
    assert 0.4 < shares["lobar"] < 0.85
    assert 0.08 < shares["deep"] < 0.4


def test_a_study_holds_scans_points_masks_and_tables_that_fit(phantom_files: list[Path], tmp_path: Path) -> None:
    done: list[int] = []
    table = simulate_bleeds_study(tmp_path, phantom_files[:2], 3, 2, ("gre", "qsm"), 3.0, done.append)
    assert done == [1, 2, 3]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["sequence"] for row in rows] == ["T2starw", "Chimap"] * 3
    labels = {label.scan: label for label in read_labels(tmp_path / "labels.tsv")}
    assert sum(int(row["bleeds"]) for row in rows) > 0
    for row in rows:
        files: list[Any] = [nib.load(tmp_path / row[name]) for name in ("scan", "mask", "mimics")]
        scan, mask, mimics = files
        assert scan.shape == mask.shape == mimics.shape
        np.testing.assert_allclose(scan.affine, mask.affine)
        marked = np.asanyarray(mask.dataobj)
        assert int(marked.max()) == int(row["bleeds"])
        points_file = labels[row["scan"]].microbleeds
        assert points_file is not None
        points = read_points(tmp_path / points_file)
        assert len(points.places) == int(row["bleeds"])
        with (tmp_path / points_file).open(encoding="utf-8", newline="") as file:
            for bleed in csv.DictReader(file, delimiter="\t"):
                voxel = [float(bleed[name]) for name in "xyz"]
                mm = scan.affine[:3, :3] @ voxel + scan.affine[:3, 3]
                np.testing.assert_allclose(mm, [float(bleed[f"{name}_mm"]) for name in "xyz"], atol=0.01)
        sidecar = json.loads((tmp_path / row["scan"].replace(".nii.gz", ".json")).read_text())
        assert sidecar["MagneticFieldStrength"] == float(row["field_t"])
    assert "Units" in sidecar
