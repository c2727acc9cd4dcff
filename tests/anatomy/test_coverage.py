from __future__ import annotations

import numpy as np
import pytest

from brainsift.anatomy.coverage import Coverage, estimate_coverage, seen_box
from brainsift.anatomy.fov import FieldOfView
from brainsift.anatomy.mni import fit_affine
from brainsift.anatomy.mni_reference import load_reference
from brainsift.anatomy.moments import CLASSES, cloud_from_labels
from brainsift.scans.conform import to_working_grid
from tests.anatomy.conftest import Head
from tests.anatomy.synthetic import T1W, render, volume_of

BRAIN_VALUES = [int(c) for c in CLASSES]


def cut_and_estimate(head: Head, axis: int, low: int, high: int) -> tuple[float, Coverage]:
    """True and estimated share after keeping planes low..high of one axis."""
    labels, affine = head
    box = tuple(slice(low, high) if a == axis else slice(None) for a in range(3))
    shifted = affine.copy()
    shifted[axis, 3] += 2.0 * low
    brain = np.isin(labels, BRAIN_VALUES)
    cloud = cloud_from_labels(labels[box], shifted)
    fov = FieldOfView.of_grid(labels[box].shape, shifted)
    fit = fit_affine(cloud, fov, load_reference())
    coverage = estimate_coverage(cloud, None if fit is None else fit.affine, fov, load_reference())
    return 1 - brain[box].sum() / brain.sum(), coverage


def test_whole_head_is_whole(head: Head) -> None:
    true, coverage = cut_and_estimate(head, 2, 0, head[0].shape[2])
    assert true == 0
    assert coverage == Coverage(0.0, ())


# (axis, first plane, last plane): crown, base, face side, back, one side, thin slab
CUTS = [(2, 0, 80), (2, 45, 112), (1, 0, 90), (1, 50, 128), (0, 40, 108), (2, 45, 75)]


@pytest.mark.parametrize(("axis", "low", "high"), CUTS)
def test_cut_share_is_estimated_within_six_percent(head: Head, axis: int, low: int, high: int) -> None:
    true, coverage = cut_and_estimate(head, axis, low, high)
    assert true > 0.03
    assert coverage.outside_fov == pytest.approx(true, abs=0.06)


def test_cut_face_is_named(head: Head) -> None:
    assert cut_and_estimate(head, 2, 0, 75)[1].cut_faces == (5,)


def test_tight_box_around_a_whole_brain_is_whole(head: Head) -> None:
    brain = np.isin(head[0], BRAIN_VALUES).any(axis=(0, 1)).nonzero()[0]
    _, coverage = cut_and_estimate(head, 2, int(brain[0]), int(brain[-1]) + 1)
    assert coverage.outside_fov < 0.03


def test_tiny_crop_has_lost_nearly_all_whatever_is_in_it() -> None:
    fov = FieldOfView.of_grid((12, 12, 12), np.diag([2.0, 2.0, 2.0, 1.0]))
    nothing = cloud_from_labels(np.zeros((12, 12, 12), np.uint8), np.eye(4))
    assert estimate_coverage(nothing, None, fov, load_reference()).outside_fov > 0.95


def test_zero_filled_planes_do_not_count_as_seen(head: Head) -> None:
    labels, affine = head
    image = render(labels, T1W)
    image[:, :, 70:] = 0
    image[:, :, :20] = 0
    image[:4] = 0
    volume = volume_of(image, affine)
    grid, grid_affine = to_working_grid(volume)
    box = seen_box(volume, grid, grid_affine)
    np.testing.assert_allclose(box.upper[2], 70, atol=0.01)
    np.testing.assert_allclose(box.lower[2], 20, atol=0.01)
