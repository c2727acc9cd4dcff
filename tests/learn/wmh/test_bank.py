"""Examples, their files, and crops of them that keep every voxel in its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.learn.wmh.bank import load_bank, write_chunk  # noqa: E402
from brainsift.learn.wmh.batches import Lessons, batches, drawing_shares  # noqa: E402
from brainsift.learn.wmh.crops import Cut, cut_input, draw_cut  # noqa: E402
from brainsift.learn.wmh.example import Example, make_example  # noqa: E402
from brainsift.learn.wmh.losses import DenseTarget, SliceTarget  # noqa: E402
from brainsift.learn.wmh.supervise import SUPERVISIONS, make_target  # noqa: E402
from brainsift.tasks.wmh.network import CHANNELS, Prepared  # noqa: E402
from tests.learn.wmh.toy import AFFINE, SHAPE, toy_bank, toy_example  # noqa: E402

CROP = (32, 32, 32)


def test_examples_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    known = toy_example(1, "a")
    unknown = Example(known.t1w, known.anatomy, known.affine, "b", coarse=None, truth=None, facts={"x": 1})
    write_chunk([known, unknown], tmp_path, "chunk")
    bank = load_bank(tmp_path)
    assert bank.people == ("a", "b")
    assert bank.names == ("chunk/0", "chunk/1")
    read = bank[0]
    for name in ("t1w", "anatomy", "affine", "truth"):
        np.testing.assert_array_equal(getattr(read, name), getattr(known, name))
    assert read.coarse is not None
    assert known.coarse is not None
    np.testing.assert_array_equal(read.coarse.mask, known.coarse.mask)
    np.testing.assert_array_equal(read.coarse.affine, known.coarse.affine)
    assert (read.coarse.axis, read.coarse.thickness_mm) == (2, 4.0)
    assert bank[1].truth is None
    assert bank[1].coarse is None
    assert bank.only([1]).facts == ({"x": 1},)
    with pytest.raises(ValueError, match="no coarse label"):
        bank[1].to_fine()


def test_an_example_of_a_prepared_scan_is_its_input_in_bytes() -> None:
    rng = np.random.default_rng(0)
    channels = rng.random((len(CHANNELS), 32, 16, 16)).astype(np.float32)
    prepared = Prepared(channels, AFFINE, np.ones((32, 16, 16), bool))
    lesion = np.zeros((32, 16, 16), np.float32)
    lesion[4:6] = 1
    moved = AFFINE.copy()
    moved[0, 3] += 3  # the truth's grid begins 3 mm further
    example = make_example(prepared, "a", truth=(lesion, moved))
    whole = example.whole()
    np.testing.assert_allclose(whole[0], channels[0], atol=0.51 / 255)
    pooled = torch.nn.functional.avg_pool3d(torch.from_numpy(channels[1:]), 2).numpy()
    np.testing.assert_allclose(whole[1:, ::2, ::2, ::2], pooled, atol=0.51 / 255)
    assert example.truth is not None
    assert np.unique(np.nonzero(example.truth)[0]).tolist() == [7, 8]


@pytest.mark.parametrize("mirror", [False, True])
def test_a_crop_shows_the_voxels_that_its_map_names(mirror: bool) -> None:
    example = toy_example(2)
    cut = Cut(start=(10, 4, 0), shape=CROP, mirror=mirror)
    image = cut_input(example, cut)
    back = np.linalg.inv(cut.to_crop())
    for voxel in ((0, 0, 0), (31, 5, 7), (12, 30, 31)):
        x, y, z = np.rint(back[:3, :3] @ voxel + back[:3, 3]).astype(int)
        assert image[(0, *voxel)] == pytest.approx(example.t1w[x, y, z] / 255)
        assert image[(1, *voxel)] == pytest.approx(example.anatomy[0, x // 2, y // 2, z // 2] / 255)


def test_a_crop_larger_than_the_brain_is_padded() -> None:
    example = toy_example(2)
    cut = draw_cut(np.random.default_rng(0), example, (64, 64, 64))
    image = cut_input(example, cut)
    assert image.shape == (len(CHANNELS), 64, 64, 64)
    assert not image[:, :, :, SHAPE[2] :].any()


def test_crops_lie_about_lesions_and_changes_keep_blank_voxels_blank() -> None:
    example, rng = toy_example(3, lesions=1), np.random.default_rng(1)
    hits = 0
    for _ in range(60):
        cut = draw_cut(rng, example, (16, 16, 16))
        assert all(start % 2 == 0 for start in cut.start)
        hits += bool((cut.take(example.truth) > 127).any())
        blank = cut.take(example.t1w) == 0
        assert not cut_input(example, cut)[0][blank].any()
    assert hits > 30


def test_a_blurred_crop_is_smoother_along_that_axis_and_as_bright_at_its_rim() -> None:
    example = toy_example(2)
    t1w = np.where(example.t1w > 0, np.uint8(200), np.uint8(0))
    t1w[::2][t1w[::2] > 0] = 180
    striped = replace(example, t1w=t1w)
    cut = Cut(start=(10, 4, 0), shape=CROP)
    sharp, across, along = (cut_input(striped, replace(cut, blur=blur))[0] for blur in ((0,) * 3, (1, 0, 0), (0, 1, 0)))
    seen = sharp > 0
    assert across[seen].std() < 0.3 * sharp[seen].std()
    np.testing.assert_allclose(along, sharp, atol=1e-5)
    drawn = [draw_cut(np.random.default_rng(seed), example, CROP).blur for seed in range(200)]
    assert 0.25 < np.mean([any(blur) for blur in drawn]) < 0.45


@pytest.mark.parametrize("mirror", [False, True])
def test_each_supervision_sees_the_lesion_where_it_is(mirror: bool) -> None:
    """The loss of the truth itself is small under every supervision, and that of nothing is not."""
    example = toy_example(4)
    cut = Cut(start=(8, 8, 0), shape=CROP, mirror=mirror)
    truth = torch.from_numpy(np.ascontiguousarray(cut.take(example.truth)).astype(np.float32) / 255)
    right = torch.logit(truth.clamp(1e-4, 1 - 1e-4))[None, None]
    nothing = torch.full_like(right, -9.0)
    for supervision in SUPERVISIONS:
        target = make_target([example], [cut], [1.0], supervision)
        assert isinstance(target, SliceTarget if supervision == "coarse" else DenseTarget)
        assert float(target.loss(right)) < 0.6 * float(target.loss(nothing)), supervision
    wrong = make_target([example], [Cut(start=(8, 8, 0), shape=CROP, mirror=not mirror)], [1.0], "coarse")
    assert float(wrong.loss(right)) > 2 * float(make_target([example], [cut], [1.0], "coarse").loss(right))


def test_coarse_labels_ask_less_of_the_truth_than_upsampled_ones() -> None:
    """What is right on the fine grid agrees with its own slices, and not with slices smeared over the fine grid."""
    example = toy_example(5)
    cut = Cut(start=(8, 8, 0), shape=CROP)
    truth = torch.from_numpy(cut.take(example.truth).astype(np.float32) / 255)
    right = torch.logit(truth.clamp(1e-4, 1 - 1e-4))[None, None]
    coarse, upsampled = (make_target([example], [cut], [1.0], s).loss(right) for s in ("coarse", "upsampled"))
    assert float(coarse) < float(upsampled)


def test_nearest_slices_leave_the_voxels_between_them_alone() -> None:
    example = toy_example(6)
    target = make_target([example], [Cut(start=(8, 8, 0), shape=CROP)], [1.0], "nearest")
    assert isinstance(target, DenseTarget)
    assert 0.15 < float(target.weight.mean()) < 0.25  # one of five voxels


def test_what_a_supervision_needs_must_be_there() -> None:
    known = toy_example(7)
    bare = Example(known.t1w, known.anatomy, known.affine, "b")
    for supervision, why in (("coarse", "no coarse label"), ("fine", "not known on the fine grid")):
        with pytest.raises(ValueError, match=why):
            make_target([bare], [Cut((0, 0, 0), CROP)], [1.0], supervision)


def test_batches_hold_weights_and_resume_elsewhere(tmp_path: Path) -> None:
    bank = toy_bank(tmp_path, "ab")
    lessons = Lessons(crop=CROP, size=2)
    inputs, target = next(batches(bank, lessons, seed=1, weights=[0.0, 0.0, 0.5, 0.0]))
    assert inputs.shape == (2, len(CHANNELS), *CROP)
    assert isinstance(target, SliceTarget)
    assert target.weights == [0.5, 0.5]
    again, _ = next(batches(bank, lessons, seed=1, weights=[0.0, 0.0, 0.5, 0.0]))
    later, _ = next(batches(bank, lessons, seed=1, start=7))
    assert torch.equal(inputs, again)
    assert not torch.equal(inputs, later)
    with pytest.raises(ValueError, match="all weights are 0"):
        next(batches(bank, lessons, seed=1, weights=[0.0] * 4))


def test_scans_without_lesions_are_drawn_less_often(tmp_path: Path) -> None:
    one = toy_example(1)
    loads = {0.0: 0.5, 2.5: 0.75, 5.0: 1.0, 40.0: 1.0}
    told = [replace(one, facts={"load_ml": load}) for load in loads]
    write_chunk([*told, replace(one, facts={})], tmp_path, "a")
    assert drawing_shares(load_bank(tmp_path)) == pytest.approx([*loads.values(), 1.0])
