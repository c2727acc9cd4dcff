"""What slices show of a head: brain and air, every second one the brain alone; the same from masks as from the anatomy
pass, in any voxels."""

import nibabel as nib
import numpy as np
import pytest

from brainsift.anatomy.labels import Tissue
from brainsift.tasks.quality.shown import MARGIN, RIM, Shown, shown_by, shown_of
from brainsift.tasks.quality.slices import COLUMNS, ROWS, brain_box, cut_slices, slices_of

from .test_slices import make_anatomy
from .volumes import make_volume

SHAPE = (80, 90, 84)


def around(shape: tuple[int, ...], spacing: tuple[float, ...], radius_mm: float) -> np.ndarray:
    """A ball in the middle of a field of view, in voxels of any size."""
    axes = np.meshgrid(*((np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij")
    return np.asarray(sum(a * a for a in axes) <= radius_mm**2)


def shells(shape: tuple[int, ...], spacing: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A brain and the head around it, without its brain."""
    brain = around(shape, spacing, 20)
    return brain, around(shape, spacing, 32) & ~around(shape, spacing, 22)


def box_of(mask: np.ndarray) -> np.ndarray:
    return np.array([[h.min(), h.max()] for h in np.nonzero(mask)]).T.astype(float)


def test_slices_show_brain_and_air_but_no_scalp_and_every_second_one_no_air() -> None:
    data = np.random.default_rng(0).uniform(1, 2, SHAPE).astype(np.float32)
    brain, outside = shells(SHAPE, (1, 1, 1))
    box = box_of(brain)

    def cut(image: np.ndarray, shown: Shown | None = None) -> np.ndarray:
        return cut_slices(image, (1, 1, 1), box, shown=shown).pixels

    plain, shown = cut(data), cut(data, shown_by(brain, outside, (1, 1, 1)))
    within = cut(data * brain) > 0
    scalp = cut(data * ~(around(SHAPE, (1, 1, 1), 20 + 2 * MARGIN + 3) | ~around(SHAPE, (1, 1, 1), 32))) > 0
    air = cut(data * ~around(SHAPE, (1, 1, 1), 32 + 2 * RIM + 3)) > 0
    assert all(part.any() for part in (within, scalp, air))
    assert np.array_equal(shown[within], plain[within])
    assert not shown[scalp].any()
    assert np.array_equal(shown[::2][air[::2]], plain[::2][air[::2]])
    assert not shown[1::2][air[1::2]].any()


def test_a_stripped_scan_looks_like_the_whole_one() -> None:
    brain, outside = shells(SHAPE, (1, 1, 1))
    textured = np.random.default_rng(0).uniform(1, 2, SHAPE).astype(np.float32)
    whole, stripped = textured * (brain | outside), textured * brain
    box = box_of(brain)
    seen = cut_slices(whole, (1, 1, 1), box, shown=shown_by(brain, outside, (1, 1, 1))).pixels
    bare = cut_slices(stripped, (1, 1, 1), box, shown=shown_by(brain, None, (1, 1, 1))).pixels
    near_scalp = around(SHAPE, (1, 1, 1), 20 + 2 * MARGIN + 2) & outside
    rim = cut_slices(textured * near_scalp, (1, 1, 1), box).pixels > 0
    assert np.array_equal(seen[~rim], bare[~rim])


@pytest.mark.parametrize("spacing", [(0.6, 0.6, 0.6), (1.0, 1.0, 1.0), (0.8, 1.0, 3.0)])
def test_masks_and_the_anatomy_pass_give_the_same(spacing: tuple[float, float, float]) -> None:
    shape = tuple(int(110 / s) for s in spacing)
    data = np.random.default_rng(0).uniform(1, 2, shape).astype(np.float32)
    volume = make_volume(data, spacing)
    brain, outside = shells((60, 60, 60), (2, 2, 2))
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    middle = volume.affine @ [*((n - 1) / 2 for n in shape), 1]
    affine[:3, 3] = middle[:3] - 2 * 29.5
    anatomy = make_anatomy(brain, affine)
    anatomy.labels[outside] = Tissue.HEAD
    seen = slices_of(volume, anatomy).pixels > 0
    box = brain_box(volume, anatomy)
    assert box is not None
    wanted = cut_slices(data, spacing, box, shown=shown_by(*shells(shape, spacing), spacing)).pixels > 0
    assert np.mean(seen != wanted) < 0.01
    assert seen[0].sum() > 1.3 * seen[1].sum()


def test_a_tilted_scan_is_masked_where_its_brain_lies() -> None:
    turned = nib.eulerangles.euler2mat(0.3, 0.1, -0.2)
    brain = around((50, 50, 50), (2, 2, 2), 25)
    brain[:, 25:] &= around((50, 50, 50), (2, 2, 2), 15)[:, 25:]  # not the same from all sides
    affine = np.eye(4)
    affine[:3, :3] = 2 * turned
    anatomy = make_anatomy(brain, affine)
    anatomy.labels[:, :5] = Tissue.HEAD
    volume = make_volume(np.ones((100, 100, 100), np.float32))
    shown = shown_of(volume, anatomy)
    inverse = np.linalg.inv(affine)
    for voxel in np.random.default_rng(0).uniform(0, 99, (200, 3)):
        place = np.rint(inverse[:3, :3] @ voxel + inverse[:3, 3]).astype(int)
        there = bool((place >= 0).all() and (place < 50).all())
        nearest = tuple(np.clip(place, 0, 49))
        at = [float(v) for v in voxel]
        assert bool(shown.at(at, air=False)) is (there and bool(shown.brain[nearest]))
        assert bool(shown.at(at, air=True)) is bool(shown.around[nearest])


def test_a_head_that_the_field_of_view_cuts_is_hidden_to_its_end() -> None:
    brain = around((40, 40, 40), (2, 2, 2), 16)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    anatomy = make_anatomy(brain, affine)
    anatomy.labels[~brain] = Tissue.HEAD
    shown = shown_of(make_volume(np.ones((80, 80, 80), np.float32)), anatomy)
    for beyond in (-3.0, 82.0):
        assert not shown.at([40.0, 40.0, beyond], air=True)


def test_a_brain_at_the_edge_and_none_at_all_stop_nothing() -> None:
    data = np.ones((40, 40, 40), np.float32)
    box = np.array([[0.0, 0, 0], [39, 39, 39]])
    everything, nothing = np.ones((40, 40, 40), bool), np.zeros((40, 40, 40), bool)
    everywhere = cut_slices(data, (1, 1, 1), box, shown=shown_by(everything, None, (1, 1, 1))).pixels
    assert np.array_equal(everywhere, cut_slices(data, (1, 1, 1), box).pixels)
    nowhere = cut_slices(data, (1, 1, 1), box, shown=shown_by(nothing, everything, (1, 1, 1))).pixels
    assert nowhere.shape == (24, ROWS, COLUMNS)
    assert not nowhere.any()
