from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.evaluate.labels import read_labels
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.zoo import (
    IMPROPER,
    KINDS,
    PROPER,
    ZooParameters,
    ZooScan,
    draw_good_contrast,
    draw_zoo,
    make_zoo,
)
from brainsift.simulate.zoo_derive import LEAST_CUT, swap_axes, thick_slices, truncate
from brainsift.simulate.zoo_maps import TISSUES
from brainsift.simulate.zoo_study import simulate_zoo, stored

GRID, SPACING_MM = (40, 52, 48), 4.0
ALL = [(kind, variant) for kind, variants in KINDS.items() for variant in variants]


def _make(phantom: LabelMap, kind: str, variant: str, seed: int = 3) -> ZooScan:
    return make_zoo(ZooParameters(kind, variant, seed), phantom, GRID, SPACING_MM)


@pytest.mark.parametrize(("kind", "variant"), ALL)
def test_every_kind_is_made_and_says_what_it_is(kind: str, variant: str, phantom: LabelMap) -> None:
    scan = _make(phantom, kind, variant)
    assert scan.image.dtype == np.float32
    assert scan.image.ndim == 3
    assert np.isfinite(scan.image).all()
    assert scan.proper == (kind in PROPER)
    assert bool(scan.why) == (kind in IMPROPER)
    assert scan.dimension == ("2D" if kind == "thick_slices" else "3D")
    assert scan.proper_t1w == (kind == "t1w")
    assert scan.proper_flair == (kind == "flair")


@pytest.mark.parametrize(("kind", "variant"), [("t1w", "mprage"), ("ct", "ct"), ("body", "knee"), ("map", "phase")])
def test_the_same_parameters_give_the_same_scan(kind: str, variant: str, phantom: LabelMap) -> None:
    first, second = (_make(phantom, kind, variant, 11).image for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert not np.array_equal(_make(phantom, kind, variant, 12).image, first)


def test_the_affine_has_the_grids_centre_at_the_origin(phantom: LabelMap) -> None:
    for kind, variant in (("t1w", "spgr"), ("phantom", "phantom"), ("nothing", "nothing")):
        scan = _make(phantom, kind, variant)
        assert np.allclose(scan.affine @ [*((np.asarray(scan.image.shape) - 1) / 2), 1], [0, 0, 0, 1])


def test_thick_slices_are_thick_and_keep_their_place() -> None:
    rng = np.random.default_rng(1)
    image = np.zeros((60, 60, 60), np.float32)
    image[20:30, 32:40, 25:45] = 1
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    for _ in range(10):
        made = thick_slices(rng, image, affine)
        spacing = np.linalg.norm(made.affine[:3, :3], axis=0)
        assert spacing.max() >= 3
        if "localizer" in made.why:
            assert min(made.image.shape) < 8
            continue
        weights = made.image / made.image.sum()
        centre = [float((np.arange(n) * weights.sum(tuple(b for b in range(3) if b != a))).sum())
                  for a, n in enumerate(made.image.shape)]  # fmt: skip
        assert (made.affine @ [*centre, 1])[:3] == pytest.approx([24.5, 35.5, 34.5], abs=0.5)


def test_the_share_cut_off_is_counted_on_the_brain() -> None:
    rng = np.random.default_rng(2)
    brain = np.zeros((40, 40, 40), bool)
    brain[10:30, 5:35, 8:32] = True
    image = brain.astype(np.float32)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    seen = []
    for _ in range(20):
        cut = truncate(rng, image, affine, brain)
        assert cut.outside == pytest.approx(1 - cut.image.sum() / image.sum(), abs=1e-5)
        assert LEAST_CUT <= cut.outside < 0.75
        # What is left lies where it lay.
        low = (cut.affine @ [*np.argwhere(cut.image > 0)[0], 1])[:3]
        assert (low >= np.array([10, 5, 8]) * 2.0 - 1e-9).all()
        seen.append(cut.image.shape == image.shape)
    assert {True, False} == set(seen)


def test_swapped_axes_hold_the_same_voxels_and_are_never_a_mere_mirror() -> None:
    rng = np.random.default_rng(3)
    image = np.random.default_rng(0).random((6, 7, 8)).astype(np.float32)
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    for _ in range(40):
        made = swap_axes(rng, image, affine)
        assert np.array_equal(np.sort(made.image.ravel()), np.sort(image.ravel()))
        assert not any(np.array_equal(made.image, other) for other in (image, image[::-1]))
        spacing = np.linalg.norm(made.affine[:3, :3], axis=0)
        # Voxels keep their size along the axis that they were taken along.
        size_of = {6: 1.0, 7: 1.5, 8: 2.0}
        assert spacing.tolist() == [size_of[n] for n in made.image.shape]


def test_masks_and_label_maps_hold_few_values(phantom: LabelMap) -> None:
    assert len(np.unique(_make(phantom, "label_map", "tissues").image)) <= len(TISSUES) + 2
    assert set(np.unique(_make(phantom, "label_map", "all").image)) <= set(phantom.values.tolist())
    values = [np.unique(_make(phantom, "mask", "brain", seed).image) for seed in range(12)]
    assert any(v.tolist() in ([0, 1], [0, 255]) for v in values)


def test_ct_has_bright_bone_and_dark_air(phantom: LabelMap) -> None:
    for seed in range(6):
        scan = _make(phantom, "ct", "ct", seed)
        centre = scan.image[18:22, 24:28, 24:28]
        assert scan.image[0, 0, 0] < centre.mean() or scan.why == "CT in the brain's window"
        assert scan.image.max() > 1.5 * abs(centre.mean())


def test_good_contrasts_are_good(phantom: LabelMap) -> None:
    rng = np.random.default_rng(4)
    for sequence, brighter in (("mprage", 2), ("spgr", 2), ("flair", 3), ("t2_se", 3)):
        for _ in range(10):
            drawn = draw_good_contrast(rng, phantom.values, sequence)
            mean = dict(zip(drawn.values, drawn.means, strict=True))
            other = 5 - brighter
            assert mean[brighter] > 1.1 * mean[other]


def test_wrong_kinds_and_variants_are_refused(phantom: LabelMap) -> None:
    with pytest.raises(ValueError, match="phantom, body"):
        draw_zoo(np.random.default_rng(0), "elephant")
    with pytest.raises(ValueError, match="'ct' scan of the variant 'knee'"):
        _make(phantom, "ct", "knee")


def test_improper_kinds_are_drawn_where_none_is_asked_for() -> None:
    rng = np.random.default_rng(5)
    assert {draw_zoo(rng).kind for _ in range(300)} == set(IMPROPER)


@pytest.mark.parametrize(
    "image",
    [
        np.array([[[0.0, 1.0, 255.0]]], np.float32),  # whole numbers are kept as they are
        np.array([[[-1024.0, 0.4, 3000.2]]], np.float32),
        np.array([[[-0.2, 0.01, 0.25]]], np.float32),
    ],
)
def test_what_is_stored_is_what_was_made_to_a_ten_thousandth(image: np.ndarray) -> None:
    values, slope = stored(image)
    assert values.dtype == np.int16
    assert np.abs(values * slope - image).max() <= np.abs(image).max() / 1e4


def test_the_folder_holds_every_kind_with_labels_that_can_be_read(phantom_files: list[Path], tmp_path: Path) -> None:
    n = len(IMPROPER) * 3 // 2
    table = simulate_zoo(tmp_path, phantom_files, n, 6, 8.0)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["kind"] for row in rows if row["proper"] == "no"} == set(IMPROPER)
    assert 0.2 < sum(row["proper"] == "yes" for row in rows) / n < 0.4
    labels = read_labels(tmp_path / "labels.tsv")
    assert [label.proper for label in labels] == [row["proper"] == "yes" for row in rows]
    assert all(label.motion is None for label in labels)
    for row in rows:
        assert min(nib.load(tmp_path / row["scan"]).shape) > 0
