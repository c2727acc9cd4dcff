"""Distances finer than the working grid, and the lateral ventricles apart from the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.nearness import border_distance, values_at, voxels_at
from brainsift.anatomy.regions import MAX_DISTANCE_MM
from brainsift.anatomy.ventricles import lateral_ventricles
from tests.tasks.wmh.scene import anatomy


def test_distance_is_that_of_the_border_and_below_zero_inside() -> None:
    known = anatomy()
    cube = np.zeros(known.labels.shape, np.bool_)
    cube[30:40, 40:50, 40:50] = True  # its right face lies at voxel 39.5
    field = border_distance(known, cube)
    for steps in (0.5, 3.0, 6.25):
        place = known.affine[:3, :3] @ [39.5 + steps, 44.5, 44.5] + known.affine[:3, 3]
        assert values_at(field, known.affine, place[None], 0.0)[0] == pytest.approx(2 * steps, abs=0.05)
    inside = known.affine[:3, :3] @ [37.0, 44.5, 44.5] + known.affine[:3, 3]
    assert values_at(field, known.affine, inside[None], 0.0)[0] == pytest.approx(-1.0, abs=0.05)


def test_a_structure_that_is_not_there_is_far_away() -> None:
    known = anatomy()
    field = border_distance(known, np.zeros(known.labels.shape, np.bool_))
    assert (field == MAX_DISTANCE_MM).all()


def test_places_outside_of_the_grid_get_what_is_said_for_them() -> None:
    known = anatomy()
    far = np.array([[1e4, 0.0, 0.0]])
    assert values_at(known.image, known.affine, far, 7.0)[0] == 7.0
    i, _, _ = voxels_at(known.labels.shape, known.affine, far)
    assert i[0] == known.labels.shape[0] - 1


def test_third_and_fourth_ventricle_are_not_lateral() -> None:
    known = anatomy()
    lateral = lateral_ventricles(known)
    to_voxel = np.linalg.inv(known.affine)

    def holds(mask: np.ndarray, mm: tuple[float, float, float]) -> bool:
        return bool(mask[tuple(np.rint(to_voxel @ [*mm, 1.0]).astype(int)[:3])])

    ventricles = known.labels == Tissue.VENTRICLES
    horn, fourth = (-8.0, 20.0, 12.0), (0.0, -46.0, -32.0)
    assert holds(ventricles, horn)
    assert holds(lateral, horn)
    assert holds(ventricles, fourth)
    assert not holds(lateral, fourth)
    assert lateral.sum() > 0.7 * ventricles.sum()


def test_without_mni_all_ventricles_count() -> None:
    known = replace(anatomy(), to_mni=None)
    assert (lateral_ventricles(known) == (known.labels == Tissue.VENTRICLES)).all()
