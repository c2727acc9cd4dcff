"""Radial symmetry: the centre of a ball of any size, on any grid, in any units."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.tasks.microbleeds.frst import frst

Float32 = NDArray[np.float32]

SHAPE = (32, 32, 18)
FINE = 4
"""Points along each axis of a voxel by which its share of a ball is measured."""


def ball(
    spacing: tuple[float, ...], centre: tuple[float, ...], radius: float, shape: tuple[int, ...] = SHAPE
) -> Float32:
    """Share of each voxel that lies in a ball around `centre`, in voxels."""
    share = np.zeros(shape, np.float32)
    within = (np.arange(FINE) + 0.5) / FINE - 0.5
    at = [np.arange(n, dtype=np.float32) for n in shape]
    for shift in product(*(within if n > 1 else (0.0,) for n in shape)):
        away = np.meshgrid(
            *((a + s - c) * mm for a, s, c, mm in zip(at, shift, centre, spacing, strict=True)),
            indexing="ij",
            sparse=True,
        )
        share += away[0] ** 2 + away[1] ** 2 + away[2] ** 2 <= radius**2
    return np.asarray(share / share.max(), np.float32)


def peak(found: Float32) -> NDArray[np.float64]:
    """Place of the largest value, between voxels: the centre of its neighbourhood, weighted."""
    top = np.array(np.unravel_index(found.argmax(), found.shape))
    box = tuple(slice(max(0, t - 1), t + 2) for t in top)
    weight = found[box]
    at = np.stack(
        np.meshgrid(*(np.arange(s.start, s.start + n) for s, n in zip(box, weight.shape, strict=True)), indexing="ij")
    )
    return np.asarray((at * weight).sum(axis=(1, 2, 3)) / weight.sum())


CENTRES = ((15.0, 16.0, 9.0), (15.3, 15.8, 8.6), (14.75, 16.4, 9.25))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.75, 0.75, 1.5), (1.5, 0.75, 0.75), (0.5, 0.5, 1.0)])
@pytest.mark.parametrize("radius", [1.5, 2.0, 3.0])
def test_the_peak_lies_within_half_a_voxel_of_a_ball_s_centre(spacing: tuple[float, ...], radius: float) -> None:
    for centre in CENTRES:
        found = peak(frst(ball(spacing, centre, radius), spacing))
        assert np.abs(found - centre).max() <= 0.5


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 4.0), (0.6, 0.9, 4.0)])
@pytest.mark.parametrize("radius", [2.0, 3.0])
def test_the_peak_lies_within_half_a_voxel_of_a_disc_s_centre(spacing: tuple[float, ...], radius: float) -> None:
    shape = (32, 32, 1)
    for x, y, _ in CENTRES:
        found = peak(frst(ball(spacing, (x, y, 0.0), radius, shape), spacing))
        assert np.abs(found[:2] - (x, y)).max() <= 0.5


def test_a_dark_ball_is_found_as_dark_and_not_as_bright() -> None:
    spacing, centre = (0.75, 0.75, 1.5), (15.0, 16.0, 9.0)
    hole = 1 - ball(spacing, centre, 2.0)
    dark = frst(hole, spacing, polarity="dark")
    assert np.abs(peak(dark) - centre).max() <= 0.5
    assert np.array_equal(dark, frst(1 - hole, spacing))
    at = tuple(int(c) for c in centre)
    assert frst(hole, spacing)[at] < 0.1 * dark[at]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
def test_integers_tell_the_same_as_values_from_0_to_1(dtype: type[np.generic]) -> None:
    spacing = (0.75, 0.75, 1.5)
    image = (np.round(100 * ball(spacing, CENTRES[1], 2.0)) / 100).astype(np.float32)
    whole = (100 * image + 7).round().astype(dtype)
    one, other = frst(image, spacing), frst(whole, spacing)
    assert np.isfinite(other).all()
    assert np.allclose(100 * one, other, atol=1e-3 * other.max())


def test_a_ball_stands_out_of_a_tube_and_a_plane_of_its_width() -> None:
    spacing = (0.75, 0.75, 0.75)
    shape = (40, 40, 40)
    x, y, z = np.meshgrid(*((np.arange(n) - 19.5) * 0.75 for n in shape), indexing="ij")

    def soft(away: NDArray[np.float64]) -> Float32:
        return np.asarray(np.clip(0.5 + (2.0 - away) / 0.75, 0, 1), np.float32)

    balls = frst(soft(np.sqrt(x**2 + y**2 + z**2)), spacing).max()
    tube = frst(soft(np.sqrt(x**2 + y**2)), spacing)[10:30, 10:30, 10:30].max()
    plane = frst(soft(np.abs(x)), spacing)[10:30, 10:30, 10:30].max()
    assert balls > 4 * tube > 8 * plane


@pytest.mark.parametrize("spacing", [(0.75, 0.75, 0.75), (0.75, 0.75, 1.5), (1.0, 1.0, 1.0)])
def test_a_ball_does_not_answer_to_a_radius_half_as_large_again(spacing: tuple[float, ...]) -> None:
    image = ball(spacing, (15.0, 16.0, 9.0), 3.0)
    own, larger = (float(frst(image, spacing, (asked,)).max()) for asked in (3.0, 4.5))
    assert own > 3 * larger


def test_voxels_outside_of_the_mask_do_not_vote() -> None:
    image = ball((1.0, 1.0, 1.0), (15.0, 16.0, 9.0), 2.0)
    assert frst(image, (1.0, 1.0, 1.0), where=np.zeros(SHAPE, np.bool_)).max() == 0


def test_an_image_of_one_value_has_no_symmetry() -> None:
    assert frst(np.full(SHAPE, 5.0, np.float32), (1.0, 1.0, 1.0)).max() == 0


@pytest.mark.parametrize(
    ("shape", "spacing", "radii"),
    [((4, 4), (1.0, 1.0, 1.0), (1.0,)), ((4, 4, 4), (1.0, 0.0, 1.0), (1.0,)), ((4, 4, 4), (1.0, 1.0, 1.0), ())],
)
def test_what_cannot_be_measured_is_refused(
    shape: tuple[int, ...], spacing: tuple[float, ...], radii: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="got"):
        frst(np.zeros(shape, np.float32), spacing, radii)
