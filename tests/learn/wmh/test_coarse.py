"""The map from the fine grid to slices: exact where it can be checked by hand, and differentiable everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

torch = pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

from brainsift.learn.wmh.coarse import Coarsener, lay_label  # noqa: E402
from brainsift.learn.wmh.geometry import CoarseLabel, coarse_label, sub_samples  # noqa: E402
from brainsift.learn.wmh.losses import DenseTarget, SliceTarget, dice_and_entropy, lesion_loss, rated  # noqa: E402
from brainsift.learn.wmh.supervise import lesion_weights  # noqa: E402

SHAPE = (24, 20, 24)


def label_of(shape: tuple[int, int, int], affine: np.ndarray, thickness_mm: float | None = None) -> CoarseLabel:
    return coarse_label(np.zeros(shape, np.uint8), affine, thickness_mm)


def slices(thickness: int, apart: int, first: float = 0.0) -> np.ndarray:
    """Affine (and index map) of axial slices over 1 mm voxels, the first of them `first` above the grid's edge."""
    affine = np.diag([1.0, 1.0, float(apart), 1.0])
    affine[2, 3] = first + (apart - 1) / 2
    return affine


def oblique() -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", (12, -7, 5), degrees=True).as_matrix() @ np.diag([0.8, 0.8, 5.0])
    affine[:3, 3] = (1.0, 3.0, 2.0)
    return affine


def laid(label: CoarseLabel, to_fine: np.ndarray, **more: str) -> Coarsener:
    coarsen = lay_label(label, to_fine, SHAPE, **more)
    assert coarsen is not None
    return coarsen


@pytest.mark.parametrize("thickness", [1, 3, 4, 6])
def test_slices_of_whole_voxels_are_plain_averages(thickness: int) -> None:
    fine = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    affine = slices(thickness, thickness)
    coarsen = laid(label_of((24, 20, 24 // thickness), affine), affine)
    expected = fine.reshape(24, 20, -1, thickness).mean(axis=-1)
    np.testing.assert_allclose(coarsen(torch.from_numpy(fine)).numpy(), expected, atol=2e-6)
    assert coarsen.seen.all()


def test_what_lies_in_a_gap_counts_nothing() -> None:
    """Slices of 3 mm, 5 mm apart: the 2nd to 4th voxel of each five are averaged."""
    fine = np.random.default_rng(1).random(SHAPE).astype(np.float32)
    affine = slices(3, 5)
    coarsen = laid(label_of((24, 20, 4), affine, 3.0), affine)
    expected = np.stack([fine[:, :, 5 * k + 1 : 5 * k + 4].mean(axis=-1) for k in range(4)], axis=-1)
    np.testing.assert_allclose(coarsen(torch.from_numpy(fine)).numpy(), expected, atol=2e-6)
    fine[:, :, ::5] = fine[:, :, 4::5] = 99
    np.testing.assert_allclose(coarsen(torch.from_numpy(fine)).numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("profile", ["boxcar", "gaussian"])
def test_a_constant_stays_and_a_slope_is_met_at_the_centre_of_oblique_slices(profile: str) -> None:
    to_fine = oblique()
    label = label_of((30, 24, 4), to_fine, 4.0)
    coarsen = laid(label, to_fine, profile=profile)
    seen = coarsen.seen.numpy()
    assert seen.sum() > 200
    assert not seen.all()
    constant = coarsen(torch.full(SHAPE, 0.7)).numpy()
    np.testing.assert_allclose(constant[seen], 0.7, atol=1e-6)
    x, y, z = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    slope = (0.2 * x - 0.1 * y + 0.3 * z).astype(np.float32)
    index = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in coarsen.box), indexing="ij"), axis=-1)
    centre = index @ to_fine[:3, :3].T + to_fine[:3, 3]
    expected = centre @ np.array([0.2, -0.1, 0.3])
    np.testing.assert_allclose(coarsen(torch.from_numpy(slope)).numpy()[seen], expected[seen], atol=1e-4)


def test_a_bell_reaches_beyond_the_slice_and_a_box_does_not() -> None:
    label = label_of((4, 4, 4), np.diag([1.0, 1.0, 4.0, 1.0]))
    box, even = sub_samples(label, np.diag([1.0, 1.0, 4.0, 1.0]))
    bell, weights = sub_samples(label, np.diag([1.0, 1.0, 4.0, 1.0]), "gaussian")
    assert np.allclose(even, 0.25)
    assert sorted(box[:, 2]) == pytest.approx([-0.375, -0.125, 0.125, 0.375])
    assert abs(bell[:, 2]).max() > 0.5
    assert weights.sum() == pytest.approx(1)
    assert weights[abs(bell[:, 2]) < 0.2].min() > weights[abs(bell[:, 2]) > 0.6].max()


def test_gradients_are_the_transpose_of_the_map() -> None:
    """<A x, y> = <x, A' y>, and finite differences agree."""
    to_fine = oblique()
    coarsen = laid(label_of((30, 24, 4), to_fine), to_fine)
    x = torch.rand(SHAPE, requires_grad=True)
    y = torch.rand(coarsen.seen.shape) * coarsen.seen
    product = (coarsen(x) * y).sum()
    product.backward()
    assert x.grad is not None
    assert float((x.grad * x).sum().detach()) == pytest.approx(float(product.detach()), rel=1e-4)
    small = Coarsener(coarsen.places[:, :3, :3, :2].double(), coarsen.weights.double(), coarsen.seen, coarsen.box)
    assert torch.autograd.gradcheck(small, (torch.rand((6, 5, 6), dtype=torch.float64, requires_grad=True),))


def test_a_grid_beside_the_slices_is_seen_by_none() -> None:
    far = slices(4, 4, first=500.0)
    assert lay_label(label_of((24, 20, 6), far), far, SHAPE) is None


@pytest.mark.parametrize(("shape", "thickness", "why"), [((4, 4), None, "three"), ((4, 4, 4), 9.0, "cannot be 9.00")])
def test_impossible_labels_are_refused(shape: tuple[int, ...], thickness: float | None, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        coarse_label(np.zeros(shape, np.uint8), slices(4, 4), thickness)


def test_the_loss_of_slices_asks_only_for_the_mean_of_each() -> None:
    """Two fine answers with the same mean over every slice have the same loss."""
    affine = slices(4, 4)
    mask = np.zeros((24, 20, 6), np.uint8)
    mask[4:10, 4:10, 2] = 1
    label = coarse_label(mask, affine)
    coarsen = laid(label, affine)
    target = SliceTarget([coarsen], [torch.from_numpy(mask).float()], [1.0])
    even, uneven = torch.full(SHAPE, 0.02), torch.full(SHAPE, 0.02)
    even[4:10, 4:10, 8:12] = 0.5
    uneven[4:10, 4:10, 8:12] = torch.tensor([0.9, 0.1, 0.9, 0.1])
    assert float(lesion_loss(torch.logit(even)[None, None], target)) == pytest.approx(
        float(lesion_loss(torch.logit(uneven)[None, None], target)), rel=1e-4
    )
    right = torch.where(torch.from_numpy(mask).repeat_interleave(4, dim=2) > 0, 8.0, -8.0)[None, None]
    assert float(target.loss(right)) < 0.02 < 0.5 < float(target.loss(torch.full((1, 1, *SHAPE), -8.0)))


def test_labels_of_weight_0_teach_nothing() -> None:
    affine = slices(4, 4)
    coarsen = laid(label_of((24, 20, 6), affine), affine)
    logits = torch.zeros((2, 1, *SHAPE), requires_grad=True)
    wrong = torch.ones((24, 20, 6))
    target = SliceTarget([coarsen, coarsen], [wrong, torch.zeros((24, 20, 6))], [0.0, 1.0])
    target.loss(logits).backward()
    assert logits.grad is not None
    assert not logits.grad[0].any()
    assert logits.grad[1].any()
    assert float(SliceTarget([None], [None], [1.0]).loss(logits[:1]).detach()) == 0
    assert float(SliceTarget([coarsen], [wrong], [0.0]).loss(logits[:1]).detach()) == 0


def test_raters_mark_a_voxel_from_about_half_on() -> None:
    share = torch.tensor([0.0, 0.3, 0.5, 0.7, 1.0])
    told = rated(share, "rater")
    assert told[2] == 0.5
    assert (told[1:] > told[:-1]).all()
    assert told[3] > 0.85
    assert torch.equal(rated(share, "share"), share)


def test_dense_targets_count_known_voxels_alone() -> None:
    logits = torch.zeros((1, 1, *SHAPE))
    target, weight = torch.zeros_like(logits), torch.zeros_like(logits)
    weight[..., :4] = 1
    right, other = logits.clone(), logits.clone()
    right[..., :4] = -9
    other[..., 4:] = 9
    dense = DenseTarget(target, weight)
    assert float(dense.loss(right)) < 0.2 < float(dense.loss(other))
    assert float(dense.loss(other)) == pytest.approx(float(dense.loss(logits)))
    p = torch.tensor([0.5, 0.5])
    expected = float(np.log(2)) + 1 - (2 * 0.5 + 10) / (0.5 + 0.5 + 1 + 10)
    assert float(dice_and_entropy(p, torch.tensor([1.0, 0.0]), torch.ones(2))) == pytest.approx(expected, abs=1e-5)


def test_voxels_of_small_lesions_weigh_more_and_those_of_large_ones_as_much_as_any_other() -> None:
    share = np.zeros((20, 20, 20), np.float32)
    share[2, 2, 2] = 1
    share[5:8, 5:8, 5:8] = 0.8
    share[10:18, 10:18, 10:18] = 1
    share[5:8, 5:8, 8] = 0.4
    weights = lesion_weights(share)
    assert weights[2, 2, 2] == 4
    assert weights[6, 6, 6] == pytest.approx(np.sqrt(300 / 27))
    assert weights[12, 12, 12] == 1
    assert weights[6, 6, 8] == 1
    assert weights[0, 0, 0] == 1
    assert (lesion_weights(np.zeros((4, 4, 4), np.float32)) == 1).all()
