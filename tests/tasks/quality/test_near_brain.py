"""Slices of the brain alone: every second one, the same from a mask as from the anatomy pass, in any voxels."""

import nibabel as nib
import numpy as np
import pytest

from brainsift.tasks.quality.near_brain import MARGIN, near_brain, near_mask
from brainsift.tasks.quality.slices import COLUMNS, ROWS, brain_box, cut_slices, slices_of

from .test_slices import make_anatomy
from .volumes import ball, make_volume

SHAPE = (80, 90, 84)
RADIUS = 20


def around(shape: tuple[int, ...], spacing: tuple[float, ...], radius_mm: float) -> np.ndarray:
    """A ball in the middle of a field of view, in voxels of any size."""
    axes = np.meshgrid(*((np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij")
    return np.asarray(sum(a * a for a in axes) <= radius_mm**2)


def test_every_second_slice_shows_the_brain_and_a_margin_alone() -> None:
    data = np.random.default_rng(0).uniform(1, 2, SHAPE).astype(np.float32)
    brain = ball(SHAPE, RADIUS) > 0
    box = np.array([[h.min(), h.max()] for h in np.nonzero(brain)]).T.astype(float)
    plain = cut_slices(data, (1, 1, 1), box).pixels
    masked = cut_slices(data, (1, 1, 1), box, near=near_mask(brain, (1, 1, 1))).pixels
    assert np.array_equal(masked[::2], plain[::2])
    within = cut_slices(data * brain, (1, 1, 1), box).pixels[1::2] > 0
    beyond = cut_slices(data * (ball(SHAPE, RADIUS + 2 * MARGIN + 3) > 0), (1, 1, 1), box).pixels[1::2] == 0
    assert np.array_equal(masked[1::2][within], plain[1::2][within])
    assert (masked[1::2][beyond] == 0).all()
    assert (plain[1::2][beyond] > 0).any()


@pytest.mark.parametrize("spacing", [(0.6, 0.6, 0.6), (1.0, 1.0, 1.0), (0.8, 1.0, 3.0)])
def test_a_mask_and_the_anatomy_pass_give_the_same(spacing: tuple[float, float, float]) -> None:
    shape = tuple(int(110 / s) for s in spacing)
    data = np.random.default_rng(0).uniform(1, 2, shape).astype(np.float32)
    volume = make_volume(data, spacing)
    coarse = around((60, 60, 60), (2, 2, 2), 30)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    middle = volume.affine @ [*((n - 1) / 2 for n in shape), 1]
    affine[:3, 3] = middle[:3] - 2 * 29.5
    anatomy = make_anatomy(coarse, affine)
    seen = slices_of(volume, anatomy).pixels > 0
    box = brain_box(volume, anatomy)
    assert box is not None
    wanted = cut_slices(data, spacing, box, near=near_mask(around(shape, spacing, 30), spacing)).pixels > 0
    assert np.mean(seen != wanted) < 0.01
    assert seen[0].sum() > 1.3 * seen[1].sum()


def test_a_tilted_scan_is_masked_where_its_brain_lies() -> None:
    turned = nib.eulerangles.euler2mat(0.3, 0.1, -0.2)
    brain = around((50, 50, 50), (2, 2, 2), 25)
    brain[:, 25:] &= around((50, 50, 50), (2, 2, 2), 15)[:, 25:]  # not the same from all sides
    affine = np.eye(4)
    affine[:3, :3] = 2 * turned
    anatomy = make_anatomy(brain, affine)
    volume = make_volume(np.ones((100, 100, 100), np.float32))
    near = near_brain(volume, anatomy)
    inverse = np.linalg.inv(affine)
    for voxel in np.random.default_rng(0).uniform(0, 99, (200, 3)):
        place = np.rint(inverse[:3, :3] @ voxel + inverse[:3, 3]).astype(int)
        inside = bool((place >= 0).all() and (place < 50).all()) and bool(near.mask[tuple(place)])
        assert bool(near.at([float(v) for v in voxel])) is inside


def test_a_brain_at_the_edge_and_none_at_all_stop_nothing() -> None:
    data = np.ones((40, 40, 40), np.float32)
    box = np.array([[0.0, 0, 0], [39, 39, 39]])
    everywhere = cut_slices(data, (1, 1, 1), box, near=near_mask(np.ones((40, 40, 40), bool), (1, 1, 1))).pixels
    assert np.array_equal(everywhere, cut_slices(data, (1, 1, 1), box).pixels)
    nowhere = cut_slices(data, (1, 1, 1), box, near=near_mask(np.zeros((40, 40, 40), bool), (1, 1, 1))).pixels
    assert nowhere.shape == (24, ROWS, COLUMNS)
    assert not nowhere[1::2].any()
