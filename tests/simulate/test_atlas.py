from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from brainsift.simulate import atlas_build
from brainsift.simulate.atlas import ATLAS_FILE, CEREBRUM, LEVELS, Atlas, load_atlas
from brainsift.simulate.atlas_draw import LIMIT_SD, HeadShape, draw_label_map, draw_shape, make_head
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.register import register, warp
from brainsift.simulate.truth import volumes_ml
from tests.simulate.phantom import phantom_labels, write_phantom

MAX_BYTES = 3 * 1024**2

# Adults: the training heads are adults, and draws stay within 1.5 standard deviations of them.
BRAIN_ML, ICV_ML = (900, 1600), (1150, 1900)


@pytest.fixture(scope="module")
def packaged() -> Atlas:
    return load_atlas()


@pytest.fixture(scope="module")
def drawn(packaged: Atlas) -> list[LabelMap]:
    return [draw_label_map(packaged, np.random.default_rng(seed), 2.0) for seed in range(3)]


def _ml(head: LabelMap, *labels: int) -> float:
    return float(np.count_nonzero(np.isin(head.values[head.codes], labels))) * head.spacing_mm**3 / 1000


def test_the_packaged_atlas_is_small_and_names_its_source(packaged: Atlas) -> None:
    assert ATLAS_FILE.stat().st_size <= MAX_BYTES
    assert "SynthSeg" in packaged.source
    assert "Apache" in packaged.source
    notice = ATLAS_FILE.with_name("head_atlas_NOTICE.txt").read_text(encoding="utf-8")
    assert "66342c1" in notice
    assert "Apache License" in notice


def test_probabilities_sum_to_one(packaged: Atlas) -> None:
    # Each of up to 29 classes is rounded to half a step.
    total = packaged.levels.sum(axis=0, dtype=np.int32)
    assert np.abs(total - LEVELS).max() <= len(packaged.values) / 2
    assert np.abs(total - LEVELS).mean() < 0.5


def test_drawn_heads_have_the_volumes_of_adults(drawn: list[LabelMap]) -> None:
    for head in drawn:
        brain, icv = volumes_ml(head.values[head.codes], head.spacing_mm**3)
        assert BRAIN_ML[0] < brain < BRAIN_ML[1]
        assert ICV_ML[0] < icv < ICV_ML[1]
        assert 0.55 < brain / icv < 0.95


def test_drawn_heads_have_all_parts_on_both_sides(drawn: list[LabelMap]) -> None:
    for head in drawn:
        for left, right in ((2, 41), (3, 42), (4, 43), (8, 47), (10, 49), (12, 51), (17, 53)):
            a, b = _ml(head, left), _ml(head, right)
            assert 0.5 < a / b < 2
            x = [np.argwhere(head.values[head.codes] == v)[:, 0].mean() for v in (left, right)]
            assert x[0] < head.centre[0] < x[1]
        assert 150 < _ml(head, 2, 41) < 350 * 2
        assert _ml(head, 506) > 5  # eyes


def test_drawn_heads_have_a_face_and_no_holes(drawn: list[LabelMap]) -> None:
    for head in drawn:
        solid = head.codes > 0
        parts, count = ndimage.label(solid)
        largest = np.bincount(parts.ravel())[1:].max()
        assert largest > 0.995 * np.count_nonzero(solid), count
        lowest_front = np.flatnonzero(solid[:, int(head.centre[1]) + 25 :].any(axis=(0, 1)))[0]
        assert (head.centre[2] - lowest_front) * head.spacing_mm > 90
        nose = solid[:, :, : int(head.centre[2] - 20 / head.spacing_mm)].any(axis=(0, 2))
        brow = solid[:, :, int(head.centre[2] + 10 / head.spacing_mm)].any(axis=0)
        assert np.flatnonzero(nose)[-1] > np.flatnonzero(brow)[-1]


def test_the_cortex_is_folded_and_lies_between_white_matter_and_fluid(drawn: list[LabelMap]) -> None:
    for head in drawn:
        labels = head.values[head.codes]
        cortex, white = np.isin(labels, (3, 42)), np.isin(labels, (2, 41))
        border = cortex & ndimage.binary_dilation(white)
        # The border of a smooth ball of this volume would be a third of this; a real one at 2 mm has some 90,000 faces.
        ball = 4 * np.pi * (3 * np.count_nonzero(white) / (4 * np.pi)) ** (2 / 3)
        assert np.count_nonzero(border) > 2 * ball
        thickness_mm = 2 * np.count_nonzero(cortex) / np.count_nonzero(border) * head.spacing_mm / 2
        assert 1.5 < thickness_mm < 6


def test_seeds_give_different_heads_and_the_same_one_twice(packaged: Atlas, drawn: list[LabelMap]) -> None:
    again = draw_label_map(packaged, np.random.default_rng(0), 2.0)
    assert np.array_equal(again.codes, drawn[0].codes)
    assert len({head.codes.tobytes() for head in drawn}) == len(drawn)
    brains = [volumes_ml(h.values[h.codes], 8.0)[0] for h in drawn]
    assert np.ptp(brains) > 20


def test_labels_come_as_often_as_the_atlas_says(phantom_atlas: Atlas) -> None:
    average = HeadShape((0.0,) * len(phantom_atlas.modes_mm), (1.0, 1.0, 1.0), 0)
    heads = [make_head(phantom_atlas, replace(average, seed=seed), 6.0) for seed in range(8)]
    for label in CEREBRUM:
        right = {2: 41, 3: 42}.get(label, label)
        expected = float(phantom_atlas.probability(label).sum()) * 6.0**3 / 1000
        assert np.mean([_ml(h, label, right) for h in heads]) == pytest.approx(expected, rel=0.1)


def test_a_drawn_shape_changes_the_size(phantom_atlas: Atlas) -> None:
    still = (0.0,) * len(phantom_atlas.modes_mm)
    small, large = (make_head(phantom_atlas, HeadShape(still, (s, s, s), 1), 4.0) for s in (0.9, 1.1))
    ratio = np.count_nonzero(large.codes) / np.count_nonzero(small.codes)
    assert ratio == pytest.approx((1.1 / 0.9) ** 3, rel=0.06)


def test_shapes_stay_near_the_average(phantom_atlas: Atlas, rng: np.random.Generator) -> None:
    shapes = [draw_shape(phantom_atlas, rng) for _ in range(50)]
    assert max(abs(m) for s in shapes for m in s.modes) <= LIMIT_SD
    assert len({s.seed for s in shapes}) == 50
    assert np.std([s.stretch[0] for s in shapes]) > 0.005


def test_an_atlas_is_the_same_left_and_right(phantom_atlas: Atlas) -> None:
    for value in phantom_atlas.values:
        probability = phantom_atlas.probability(int(value))
        assert np.array_equal(probability, probability[::-1])


def test_an_atlas_of_phantoms_looks_like_them(phantom_atlas: Atlas) -> None:
    labels, voxel_ml = phantom_labels(), 2.0**3 / 1000
    for left, right in ((2, 41), (8, 47), (507, 507)):
        expected = np.count_nonzero(np.isin(labels, (left, right))) * voxel_ml
        found = float(phantom_atlas.probability(left).sum()) * phantom_atlas.spacing_mm**3 / 1000
        assert found == pytest.approx(expected, rel=0.25)


def test_registration_brings_a_shifted_head_back() -> None:
    grid = np.indices((20, 22, 24), dtype=np.float32)
    ball = lambda x: (((grid - np.reshape([x, 11, 12], (3, 1, 1, 1))) ** 2).sum(axis=0) < 36).astype(np.float32)  # noqa: E731
    fixed, moving = (np.stack([ndimage.gaussian_filter(ball(x), 1)]) for x in (10, 12))
    nothing, everywhere = np.zeros((3, 20, 22, 24), np.float32), np.ones((20, 22, 24), np.float32)
    found = register(fixed, moving, nothing, everywhere, 30)
    before, after = np.abs(fixed - moving).mean(), np.abs(fixed - warp(moving, found)).mean()
    assert after < 0.25 * before
    assert found[0, 10, 11, 12] == pytest.approx(2, abs=0.8)


def test_too_few_label_maps_are_refused(phantom_files: list[Path]) -> None:
    with pytest.raises(ValueError, match="three label maps"):
        atlas_build.build_atlas(phantom_files[:2])


def test_a_map_without_a_structure_is_refused_by_name(phantom_files: list[Path], tmp_path: Path) -> None:
    import nibabel as nib

    image = nib.load(write_phantom(tmp_path / "odd.nii.gz"))
    labels = np.asanyarray(image.dataobj).copy()
    labels[labels == 17] = 0
    nib.save(nib.Nifti1Image(labels, image.affine), tmp_path / "odd.nii.gz")
    with pytest.raises(ValueError, match=r"odd.nii.gz: the structures \[17\] are missing"):
        atlas_build.build_atlas([*phantom_files[:2], tmp_path / "odd.nii.gz"], report=lambda _: None)
