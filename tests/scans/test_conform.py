"""Resampling: what must not change, and what must come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsift.scans.conform import axis_weights, conform, labels_to_input, resample_linear, to_working_grid
from brainsift.scans.orient import closest_ras, obliqueness_deg
from brainsift.scans.volume import InputGrid, ReadFacts, Volume


def volume_of(data, matrix) -> Volume:
    grid = InputGrid(data.shape, matrix, (0, 1, 2), (False, False, False))
    return Volume(np.asarray(data, np.float32), matrix, grid, ReadFacts("nifti1", "float32", data.shape, "0" * 64))


def rotation(degrees, axis=2):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn = np.eye(3)
    a, b = [k for k in range(3) if k != axis]
    turn[a, a], turn[a, b], turn[b, a], turn[b, b] = c, -s, s, c
    return turn


def placed(spacing, turn=None, centre=(5.0, -3.0, 20.0), shape=(40, 44, 30)):
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag(spacing)
    matrix[:3, 3] = np.asarray(centre) - matrix[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return matrix


def blob(shape, matrix, centre=(7.0, -5.0, 18.0), sigma=6.0):
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"))
    world = np.tensordot(matrix[:3, :3], index, 1) + matrix[:3, 3][:, None, None, None]
    return np.exp(-((world - np.asarray(centre)[:, None, None, None]) ** 2).sum(0) / (2 * sigma**2)).astype(np.float32)


def centre_of_mass_mm(data, matrix):
    index = np.stack(np.meshgrid(*[np.arange(n) for n in data.shape], indexing="ij")).reshape(3, -1)
    weights = data.reshape(-1).astype(np.float64)
    return matrix[:3, :3] @ (index @ weights / weights.sum()) + matrix[:3, 3]


LINEAR_ERROR = 3 * 2.0**2 / (8 * 6.0**2)
"""Of linear interpolation, h^2/8 times the second derivative, 1/sigma^2 at the top of the blob, for each axis."""

SPACINGS = [(1, 1, 1), (0.5, 0.5, 3.0), (0.9, 1.1, 2.0), (2, 2, 2), (4.0, 0.7, 5.0), (1.9, 2.1, 0.33)]


@given(
    n=st.integers(1, 60),
    spacing_in=st.floats(0.2, 6.0),
    spacing_out=st.floats(0.3, 5.0),
)
@settings(max_examples=200, deadline=None)
def test_weights_are_averages_that_keep_position(n, spacing_in, spacing_out):
    count = max(1, int(np.ceil(n * spacing_in / spacing_out - 0.01)))
    start = (n * spacing_in - count * spacing_out) / 2
    weights = axis_weights(n, spacing_in, count, spacing_out, start).astype(np.float64)
    assert weights.shape == (count, n)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)
    inner = slice(1, -1)
    width = max(spacing_in, spacing_out)
    centres_in, centres_out = (np.arange(n) + 0.5) * spacing_in, start + (np.arange(count) + 0.5) * spacing_out
    inside = (centres_out - width / 2 >= 0) & (centres_out + width / 2 <= n * spacing_in)
    moved = weights @ centres_in
    assert np.all(np.abs(moved - centres_out)[inside] <= spacing_in / 2 + 1e-3)
    assert np.all(np.diff(moved)[inner] >= -1e-6)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_constant_image_stays_constant_to_the_border(spacing):
    array, _ = conform(volume_of(np.full((40, 44, 30), 7.5), placed(spacing)), 2.0)
    np.testing.assert_allclose(array, 7.5, rtol=1e-5)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("target", [2.0, 1.0, (1.0, 2.0, 3.0)])
def test_centre_of_mass_and_amount_are_kept(spacing, target):
    shape = tuple(int(80 / s) for s in spacing)
    matrix = placed(spacing, rotation(12), shape=shape)
    data = blob(shape, matrix)
    array, moved = conform(volume_of(data, matrix), target)
    np.testing.assert_allclose(centre_of_mass_mm(array, moved), centre_of_mass_mm(data, matrix), atol=0.05)
    amount = data.sum() * abs(np.linalg.det(matrix[:3, :3]))
    assert array.sum() * abs(np.linalg.det(moved[:3, :3])) == pytest.approx(amount, rel=0.01)


def test_field_of_view_stays_centred_and_covered():
    volume = volume_of(np.zeros((41, 37, 23)), placed((0.9, 1.3, 3.1), rotation(10), shape=(41, 37, 23)))
    array, matrix = conform(volume, 2.0)
    centre_in = volume.affine[:3, :3] @ ((np.asarray(volume.shape) - 1) / 2) + volume.affine[:3, 3]
    centre_out = matrix[:3, :3] @ ((np.asarray(array.shape) - 1) / 2) + matrix[:3, 3]
    np.testing.assert_allclose(centre_out, centre_in, atol=1e-6)
    assert (np.asarray(array.shape) * 2.0 >= volume.extent_mm - 0.05).all()


def test_fine_stripes_are_averaged_and_not_aliased():
    data = np.zeros((64, 64, 64), np.float32)
    data[::2] = 1.0
    array, _ = conform(volume_of(data, placed((1, 1, 1), shape=data.shape)), 2.0)
    np.testing.assert_allclose(array, 0.5, atol=1e-6)


def test_thick_slices_are_interpolated_linearly():
    data = np.broadcast_to(np.arange(10, dtype=np.float32), (4, 4, 10))
    array, matrix = conform(volume_of(data, placed((2, 2, 4), shape=data.shape)), 2.0)
    position = (matrix[2, 2] * np.arange(array.shape[2]) + matrix[2, 3] - placed((2, 2, 4), shape=data.shape)[2, 3]) / 4
    np.testing.assert_allclose(array[0, 0], np.clip(position, 0, 9), atol=1e-5)


def test_same_grid_is_left_as_it_is():
    data = np.random.default_rng(0).random((20, 21, 22), dtype=np.float32)
    array, matrix = conform(volume_of(data, placed((2, 2, 2), shape=data.shape)), 2.0)
    np.testing.assert_array_equal(array, data)
    np.testing.assert_allclose(matrix, placed((2, 2, 2), shape=data.shape), atol=1e-9)


@pytest.mark.parametrize("shape", [(10, 60, 31), (64, 64, 64), (5, 5, 5)])
def test_asked_shape_is_cut_or_padded_with_zero_in_place(shape):
    matrix = placed((2, 2, 2))
    data = blob((40, 44, 30), matrix) + 1
    array, moved = conform(volume_of(data, matrix), 2.0, shape)
    assert array.shape == shape
    start = np.rint(np.linalg.inv(matrix) @ moved[:, 3]).astype(int)[:3]
    at = tuple(int(max(0, -s)) for s in start)
    assert array[at] == data[tuple(int(max(0, s)) for s in start)]
    if shape == (64, 64, 64):
        assert array[0, 0, 0] == 0


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_order_does_not_matter(order):
    data = np.random.default_rng(0).random((33, 47, 29), dtype=np.float32)
    plain, _ = conform(volume_of(data, placed((0.7, 1.0, 3.0))), 2.0)
    other, _ = conform(volume_of(np.asarray(data, order=order), placed((0.7, 1.0, 3.0))), 2.0)
    np.testing.assert_allclose(other, plain, rtol=1e-5)


@pytest.mark.parametrize("degrees", [0, 10, 19])
def test_tilted_heads_keep_their_axes(degrees):
    matrix = placed((1, 1, 3), rotation(degrees))
    array, moved = to_working_grid(volume_of(blob((40, 44, 30), matrix), matrix))
    assert obliqueness_deg(moved) == pytest.approx(degrees, abs=1e-4)
    assert array.flags.c_contiguous


@pytest.mark.parametrize("degrees", [25, 40])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_steep_grids_are_turned_to_ras_with_everything_in_place(degrees, axis):
    shape = (60, 64, 70)
    matrix = placed((1.2, 1.0, 1.1), rotation(degrees, axis), shape=shape)
    data = blob(shape, matrix)
    array, moved = to_working_grid(volume_of(data, matrix))
    np.testing.assert_allclose(moved[:3, :3], 2 * np.eye(3), atol=1e-9)
    np.testing.assert_allclose(centre_of_mass_mm(array, moved), centre_of_mass_mm(data, matrix), atol=0.1)
    assert array[0, 0, 0] == 0
    assert array.sum() * 8 == pytest.approx(data.sum() * abs(np.linalg.det(matrix[:3, :3])), rel=0.01)


def test_sheared_grid_stays_true_to_its_affine():
    shape = (60, 60, 60)
    matrix = placed((1, 1, 1), shape=shape)
    matrix[0, 1] = 0.2
    data = blob(shape, matrix)
    array, moved = to_working_grid(volume_of(data, matrix))
    np.testing.assert_allclose(centre_of_mass_mm(array, moved), centre_of_mass_mm(data, matrix), atol=0.05)


@pytest.mark.parametrize("degrees", [0, 12, 30])
@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.8, 0.8, 4.0), (3, 3, 3)])
def test_labels_come_back_to_the_scans_grid(degrees, spacing):
    shape = tuple(int(70 / s) for s in spacing)
    matrix = placed(spacing, rotation(degrees), shape=shape)
    volume = volume_of(blob(shape, matrix, sigma=12.0), matrix)
    array, moved = to_working_grid(volume)
    labels = (array > 0.3).astype(np.uint8) + (array > 0.6).astype(np.uint8)
    back = labels_to_input(labels, moved, volume)
    truth = (volume.data > 0.3).astype(np.uint8) + (volume.data > 0.6).astype(np.uint8)
    assert back.shape == volume.shape
    assert back.dtype == np.uint8
    for value in (1, 2):
        overlap = 2 * ((back == value) & (truth == value)).sum() / ((back == value).sum() + (truth == value).sum())
        assert overlap > 0.8


def test_labels_outside_the_working_grid_are_background():
    volume = volume_of(np.ones((20, 20, 20)), placed((2, 2, 2), shape=(20, 20, 20)))
    labels, moved = np.ones((6, 6, 6), np.uint8), placed((2, 2, 2), shape=(6, 6, 6))
    back = labels_to_input(labels, moved, volume)
    assert back.sum() == 6**3
    assert back[7:13, 7:13, 7:13].all()


@pytest.mark.parametrize("degrees", [0, 15])
def test_linear_resampling_keeps_position(degrees):
    source, target = placed((2, 2, 2)), placed((1.5, 1.0, 2.5), rotation(degrees), shape=(60, 90, 30))
    data = blob((40, 44, 30), source)
    moved = resample_linear(data, source, (60, 90, 30), target)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, blob((60, 90, 30), target), atol=LINEAR_ERROR)


def test_tiny_and_huge_voxels_work():
    for spacing, shape in (((0.06, 0.06, 0.06), (50, 50, 50)), ((40, 40, 40), (3, 3, 3)), ((1, 1, 1), (1, 1, 1))):
        array, _ = to_working_grid(volume_of(np.ones(shape), placed(spacing, shape=shape)))
        assert min(array.shape) >= 1
        np.testing.assert_allclose(array, 1.0, rtol=1e-5)


def test_bad_target_is_refused():
    volume = volume_of(np.ones((4, 4, 4)), placed((1, 1, 1), shape=(4, 4, 4)))
    for spacing in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="spacing_mm"):
            conform(volume, spacing)
    with pytest.raises(ValueError, match="shape"):
        conform(volume, 1.0, (4, 4))


def test_orientation_of_45_degrees_is_decided():
    axes, flips = closest_ras(placed((1, 1, 1), rotation(45)))
    assert sorted(axes) == [0, 1, 2]
    assert len(flips) == 3
