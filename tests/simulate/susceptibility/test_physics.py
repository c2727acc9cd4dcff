from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.susceptibility.physics import dipole_field, radians_per_ppm, sphere_field, spoiled_gre

DIRECTIONS = [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.6, 0.8)]


def _unit(direction: tuple[float, float, float]) -> np.ndarray:
    unit: np.ndarray = np.asarray(direction) / np.linalg.norm(direction)
    return unit


def test_one_ppm_at_three_tesla_turns_once_in_about_eight_milliseconds() -> None:
    assert radians_per_ppm(3.0, 1000 / (42.577 * 3.0)) == pytest.approx(2 * np.pi)


def test_the_ernst_angle_gives_the_most_signal() -> None:
    t1, tr = np.array(1000.0), 40.0
    ernst = np.degrees(np.arccos(np.exp(-tr / 1000.0)))
    signal = [float(spoiled_gre(np.array(1.0), t1, np.array(20.0), tr, 20.0, ernst + d)) for d in (-3, 0, 3)]
    assert signal[1] == max(signal)
    later = float(spoiled_gre(np.array(1.0), t1, np.array(20.0), tr, 70.0, ernst))
    assert later == pytest.approx(signal[1] * np.exp(-1))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 1.6)])
def test_the_field_of_a_sphere_on_a_grid_is_that_of_a_dipole_outside_and_none_inside(
    direction: tuple[float, float, float], spacing: tuple[float, float, float]
) -> None:
    b0, radius, chi = _unit(direction), 7.0, 0.9
    shape = tuple(int(72 / s) for s in spacing)
    axes = [(np.arange(n) - n // 2) * s for n, s in zip(shape, spacing, strict=True)]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.float32)
    # Edges shared between voxels by their distance: a hard edge on a grid is not a sphere.
    far = np.linalg.norm(offsets, axis=-1)
    share = np.clip((radius - far) / np.mean(spacing) + 0.5, 0, 1).astype(np.float32)
    made = dipole_field(chi * share, spacing, b0)
    inside, outside = far < radius - 2.5, (far > radius + 2.5) & (far < 2.5 * radius)
    wanted = sphere_field(offsets, radius, chi, b0)
    assert not wanted[inside].any()
    assert np.abs(made[inside]).max() < 0.03 * chi
    error = made[outside] - wanted[outside]
    assert np.abs(error).max() < 0.1 * chi
    assert np.sqrt(np.mean(error**2)) < 0.02 * chi


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_sphere_raises_the_field_at_its_poles_and_lowers_it_by_half_as_much_at_its_equator(
    direction: tuple[float, float, float],
) -> None:
    b0, radius, chi = _unit(direction), 2.0, 0.9
    across = np.cross(b0, [0.6, -0.8, 0.1])
    across /= np.linalg.norm(across)
    for away in (1.001, 2.0, 5.0):
        points = (away * radius * np.stack([b0, -b0, across])).astype(np.float32)
        pole, opposite, equator = sphere_field(points, radius, chi, b0)
        assert pole == opposite == pytest.approx(2 / 3 * chi / away**3, rel=1e-3)
        assert equator == pytest.approx(-chi / 3 / away**3, rel=1e-3)
    assert not sphere_field((0.9 * radius * np.stack([b0, across])).astype(np.float32), radius, chi, b0).any()


def test_a_long_cylinder_along_the_field_is_a_third_off_inside_and_nothing_outside() -> None:
    x, y = np.meshgrid(np.arange(64) - 32, np.arange(64) - 32, indexing="ij")
    disc = np.clip(6.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    chi = np.repeat(disc[:, :, None], 16, axis=2)
    along = dipole_field(chi, (1.0, 1.0, 1.0), np.array([0.0, 0.0, 1.0]))
    across = dipole_field(chi, (1.0, 1.0, 1.0), np.array([1.0, 0.0, 0.0]))
    mean = chi.mean()
    assert along[32, 32, 8] == pytest.approx((1 - mean) / 3, abs=0.01)
    assert along[50, 32, 8] == pytest.approx(-mean / 3, abs=0.01)
    assert across[32, 32, 8] == pytest.approx(-(1 - mean) / 6, abs=0.02)
