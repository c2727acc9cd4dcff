from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.susceptibility.blob import Ball, make_spot
from brainsift.simulate.susceptibility.mark import mark_spot
from brainsift.simulate.susceptibility.physics import radians_per_ppm, sphere_field
from tests.simulate.susceptibility.conftest import make_blob, make_grid, make_scanner


def _seen_mm(te_ms: float = 20.0, field_t: float = 3.0, chi_ppm: float = 0.8, radius_mm: float = 1.2) -> float:
    scanner = make_scanner(te_ms=te_ms, field_t=field_t)
    grid = make_grid(scanner)
    spot = make_spot(make_blob(chi_ppm, radius_mm), grid, scanner)
    assert spot is not None
    loss = 1 - np.abs(spot.factor)
    return float((6 / np.pi * np.count_nonzero(loss > 0.3) * np.prod(grid.fine_mm)) ** (1 / 3))


def test_blooming_grows_with_echo_time_field_and_susceptibility() -> None:
    by_time = [_seen_mm(te_ms=te) for te in (5, 10, 20, 40, 80)]
    assert by_time == sorted(by_time)
    assert by_time[-1] > 1.5 * by_time[0]
    by_field = [_seen_mm(field_t=t) for t in (1.5, 3.0, 7.0)]
    assert by_field == sorted(by_field)
    assert by_field[-1] > by_field[0]
    assert _seen_mm(chi_ppm=1.2) > _seen_mm(chi_ppm=0.3)
    assert _seen_mm(radius_mm=2.0) > _seen_mm(radius_mm=1.0)


def test_calcium_has_the_magnitude_of_blood_and_the_opposite_phase() -> None:
    scanner = make_scanner()
    grid = make_grid(scanner)
    blood, calcium = (make_spot(make_blob(chi), grid, scanner) for chi in (0.8, -0.8))
    assert blood is not None
    assert calcium is not None
    np.testing.assert_allclose(np.abs(blood.factor), np.abs(calcium.factor), atol=1e-6)
    np.testing.assert_allclose(blood.factor, calcium.factor.conj(), atol=1e-6)
    assert np.abs(np.angle(blood.factor)).max() > 0.5


@pytest.mark.parametrize("tilt", [(0.0, 0.0, 0.0), (15.0, -10.0, 5.0)])
def test_far_from_a_source_the_phase_is_that_of_its_dipole(tilt: tuple[float, float, float]) -> None:
    scanner = make_scanner(tilt_deg=tilt)
    grid, blob = make_grid(scanner), make_blob()
    spot = make_spot(blob, grid, scanner)
    assert spot is not None
    centre = grid.to_fine(np.asarray(blob.at))
    axes = [(np.arange(s.start, s.stop) - c) * mm for s, c, mm in zip(spot.box, centre, grid.fine_mm, strict=True)]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.float32)
    far = np.linalg.norm(offsets, axis=-1) > 5 * blob.radius_mm
    wanted = radians_per_ppm(3.0, 20.0) * sphere_field(offsets, blob.radius_mm, blob.chi_ppm, scanner.b0)
    np.testing.assert_allclose(np.angle(spot.factor)[far], wanted[far], atol=2e-3)
    np.testing.assert_allclose(np.abs(spot.factor)[far], 1, atol=2e-3)
    assert spot.share.sum() * np.prod(grid.fine_mm) == pytest.approx(4 / 3 * np.pi * blob.radius_mm**3, rel=0.1)


def test_two_balls_apart_are_two_dipoles() -> None:
    scanner = make_scanner()
    grid = make_grid(scanner)
    from dataclasses import replace

    pair = replace(make_blob(), balls=(Ball((-4.0, 0.0, 0.0), 1.0), Ball((4.0, 0.0, 0.0), 1.0)))
    spot = make_spot(pair, grid, scanner)
    assert spot is not None
    along = np.abs(spot.factor).min(axis=(1, 2))
    middle = int(grid.to_fine(np.asarray(pair.at))[0]) - spot.box[0].start
    assert along[middle] > 0.85
    assert min(along[:middle]) < 0.6
    assert min(along[middle:]) < 0.6
    assert pair.diameter_mm == pytest.approx(2 * 2 ** (1 / 3))


def test_a_source_beyond_the_scan_does_nothing_and_a_mark_is_one_piece_around_its_source() -> None:
    from dataclasses import replace

    from scipy import ndimage

    scanner = make_scanner()
    grid = make_grid(scanner)
    assert make_spot(replace(make_blob(), at=(500.0, 10.0, 10.0)), grid, scanner) is None
    blob = make_blob()
    spot = make_spot(blob, grid, scanner)
    assert spot is not None
    mark = mark_spot(spot, grid, scanner.blur_voxels)
    assert ndimage.label(mark.mask)[1] == 1
    assert 0.5 < mark.lost <= 1
    whole = np.zeros(grid.shape, bool)
    whole[mark.box] = mark.mask
    away = np.argwhere(whole).mean(axis=0) - grid.to_scan(np.asarray(blob.at))
    assert np.abs(away * grid.voxel_mm).max() < 0.8
