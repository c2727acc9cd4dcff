from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from brainsift.simulate.deform import IDENTITY, Deformation, DeformRanges, deform, draw_deformation
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import COARSE_MM, LabelMap, make_label_map
from brainsift.simulate.separable import spline_field
from tests.simulate.phantom import phantom_labels

GRID = (88, 104, 128)
SPACING_MM = 2.0


def _volume(head: LabelMap, codes: np.ndarray) -> int:
    brain, _ = brain_and_csf(head.values)
    return int(np.count_nonzero(brain[codes]))


def _slow(head: LabelMap, d: Deformation, shape: tuple[int, int, int], spacing_mm: float) -> np.ndarray:
    """`deform` written directly: every output voxel is moved by map_coordinates through the same coarse fields."""
    points = np.stack(np.meshgrid(*[(np.arange(n) - (n - 1) / 2) * spacing_mm for n in shape], indexing="ij"))
    step = COARSE_MM / spacing_mm
    coarse = tuple(int(np.ceil((n - 1) / step)) + 1 for n in shape)
    at = np.indices(shape) / step
    rng = np.random.default_rng(d.seed)
    for sd, scale_mm in ((d.elastic_mm, 40.0), (d.elastic_fine_mm, 16.0)):
        if sd > 0:
            for axis in range(3):
                field = sd * spline_field(rng, coarse, scale_mm / COARSE_MM)
                points[axis] += ndimage.map_coordinates(field, at, order=1, mode="nearest")
    points -= np.reshape(d.shift_mm, (3, 1, 1, 1))
    voxels = np.einsum("ij,jxyz->ixyz", np.asarray(d.matrix), points) / head.spacing_mm + head.centre.reshape(
        3, 1, 1, 1
    )
    return ndimage.map_coordinates(head.codes, voxels, order=0, mode="constant", cval=0)


def test_identity_on_the_maps_own_grid_returns_the_map(phantom: LabelMap) -> None:
    # A grid whose centre falls on the brain's centre, which lies between voxels: the nearest ones must come back.
    codes = deform(phantom, IDENTITY, GRID, SPACING_MM)
    start = np.round(phantom.centre - (np.asarray(GRID) - 1) / 2).astype(int)
    expected = np.zeros(GRID, np.uint8)
    for index in np.argwhere(phantom.codes > 0)[::97]:
        at = index - start
        if ((at >= 0) & (at < GRID)).all():
            expected[tuple(at)] = phantom.codes[tuple(index)]
            assert codes[tuple(at)] == phantom.codes[tuple(index)]
    assert expected.any()


def test_coarse_coordinates_agree_with_moving_every_voxel(phantom: LabelMap, rng: np.random.Generator) -> None:
    d = replace(draw_deformation(rng), ventricle_mm=0.0, mirror=False)
    fast, slow = deform(phantom, d, (56, 60, 64), 3.0), _slow(phantom, d, (56, 60, 64), 3.0)
    # Rounding at borders between labels may differ in the last bit of a coordinate.
    assert np.mean(fast != slow) < 1e-3


def test_mirrored_twice_is_not_mirrored(phantom: LabelMap) -> None:
    once = deform(phantom, replace(IDENTITY, mirror=True), GRID, SPACING_MM)
    plain = deform(phantom, IDENTITY, GRID, SPACING_MM)
    assert np.mean(once[::-1] != plain) < 0.01
    left, right = np.searchsorted(phantom.values, [2, 41])
    assert np.argwhere(once == left)[:, 0].mean() > GRID[0] / 2 > np.argwhere(plain == left)[:, 0].mean()
    assert np.count_nonzero(once == right) == pytest.approx(np.count_nonzero(plain == right), rel=0.02)


@pytest.mark.parametrize("scale", [(0.9, 0.9, 0.9), (1.1, 0.95, 1.05)])
def test_volume_follows_the_determinant(phantom: LabelMap, scale: tuple[float, float, float]) -> None:
    matrix = tuple(map(tuple, np.diag(1 / np.asarray(scale)).tolist()))
    codes = deform(phantom, replace(IDENTITY, matrix=matrix), GRID, SPACING_MM)
    whole = _volume(phantom, phantom.codes)
    # Nearest neighbour on ellipsoids of a few dozen voxels: the surface counts for a percent or so.
    assert _volume(phantom, codes) == pytest.approx(whole * np.prod(scale), rel=0.02)


def test_the_shift_places_the_brain(phantom: LabelMap) -> None:
    codes = deform(phantom, replace(IDENTITY, shift_mm=(6.0, -4.0, 8.0)), GRID, SPACING_MM)
    labels = phantom.values[codes]
    centre = np.argwhere((labels > 0) & (labels < 500)).mean(axis=0)
    moved_mm = (centre - (np.asarray(GRID) - 1) / 2) * SPACING_MM
    # The brain's centre lies between voxels, and nearest neighbour may round all of them the same way.
    assert np.allclose(moved_mm, (6.0, -4.0, 8.0), atol=SPACING_MM / 2 + 0.05)


@pytest.mark.parametrize("spacing", [2.0, 1.25])
def test_ventricles_grow_and_shrink_where_they_are(spacing: float) -> None:
    head = make_label_map(phantom_labels(spacing_mm=spacing), spacing)
    code = int(np.searchsorted(head.values, 4))
    sizes = [
        np.count_nonzero(deform(head, replace(IDENTITY, ventricle_mm=growth), GRID, SPACING_MM) == code)
        for growth in (-2.0, 0.0, 2.0)
    ]
    assert sizes[0] < 0.8 * sizes[1]
    assert sizes[2] > 1.2 * sizes[1]


def test_the_same_draw_gives_the_same_codes(phantom: LabelMap) -> None:
    a, b = (draw_deformation(np.random.default_rng(3)) for _ in range(2))
    assert a == b
    assert np.array_equal(deform(phantom, a, (40, 40, 40), 4.0), deform(phantom, b, (40, 40, 40), 4.0))
    assert draw_deformation(np.random.default_rng(4)) != a


def test_no_range_means_no_deformation(rng: np.random.Generator) -> None:
    still = draw_deformation(rng, DeformRanges(*[0.0] * 8))
    assert np.allclose(still.matrix, np.eye(3))
    assert (still.elastic_mm, still.elastic_fine_mm, still.ventricle_mm) == (0.0, 0.0, 0.0)
