from __future__ import annotations

import numpy as np

from brainsift.anatomy.fov import INSIDE, FieldOfView


def test_points_inside_and_through_each_face() -> None:
    fov = FieldOfView.of_grid((10, 10, 10), np.diag([2.0, 2.0, 2.0, 1.0]))  # edges at -1 and 19 mm
    centre = np.full(3, 9.0)
    points = [centre]
    for axis in range(3):
        for shift in (-15.0, 15.0):
            points.append(centre + shift * np.eye(3)[axis])
    assert fov.face_of(np.array(points)).tolist() == [INSIDE, 0, 1, 2, 3, 4, 5]


def test_depths_are_millimetres_to_the_voxel_edges() -> None:
    fov = FieldOfView.of_grid((10, 20, 30), np.diag([1.0, 1.0, 3.0, 1.0]))
    np.testing.assert_allclose(fov.depths(np.zeros((1, 3)))[0], [0.5, 9.5, 0.5, 19.5, 1.5, 88.5])


def test_oblique_grid_is_followed() -> None:
    c, s = np.cos(0.5), np.sin(0.5)
    affine = np.eye(4)
    affine[:2, :2] = [[c, -s], [s, c]]
    fov = FieldOfView.of_grid((50, 4, 4), affine)
    along = affine[:3, :3] @ [45.0, 1.0, 1.0]
    assert fov.face_of(along[None])[0] == INSIDE
    assert fov.face_of(np.array([[45.0, 1.0, 1.0]]))[0] != INSIDE


def test_a_point_is_held_that_leaves_through_no_face() -> None:
    affine = np.array([[1.8, 0.3, 0, -5], [-0.2, 2.2, 0.1, 3], [0, 0.4, 1.5, 2], [0, 0, 0, 1]])
    fov = FieldOfView(affine, np.array([1.0, 0, 2]), np.array([9.0, 7, 8]))
    points = np.random.default_rng(0).uniform(-10, 25, (400, 3))
    held = fov.holds(points)
    assert 10 < np.count_nonzero(held) < 390
    np.testing.assert_array_equal(held, fov.face_of(points) == INSIDE)
