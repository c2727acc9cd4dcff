from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.susceptibility.fill import fill_tubes
from brainsift.simulate.susceptibility.frame import Frame
from brainsift.simulate.susceptibility.physics import dipole_field
from brainsift.simulate.susceptibility.vessels import Tube, VesselPlan, draw_vessel_plan, lay_vessels
from tests.simulate.susceptibility.conftest import BLOCK_SHAPE, make_grid, make_scanner


def _straight(direction: tuple[float, float, float], length_mm: float, radius_mm: float) -> Tube:
    middle = (np.array(BLOCK_SHAPE) - 1) / 2
    unit = np.asarray(direction) / np.linalg.norm(direction)
    places = np.linspace(-length_mm / 2, length_mm / 2, int(length_mm) + 1)
    return Tube(middle + places[:, None] * unit, np.full(len(places), radius_mm))


@pytest.mark.parametrize("radius_mm", [0.2, 0.5, 1.5])
@pytest.mark.parametrize("direction", [(1.0, 0.0, 0.0), (1.0, 2.0, -1.0)])
def test_a_tube_keeps_its_volume_on_any_grid(direction: tuple[float, float, float], radius_mm: float) -> None:
    tube = _straight(direction, 24.0, radius_mm)
    for scanner in (make_scanner(), make_scanner(voxel_mm=(0.6, 0.6, 3.0)), make_scanner(voxel_mm=(1.0, 1.0, 1.0))):
        grid = make_grid(scanner)
        filled = fill_tubes([tube], grid)
        volume = float(filled.share.sum()) * float(np.prod(grid.fine_mm))
        assert volume == pytest.approx(np.pi * radius_mm**2 * 24, rel=0.12)
        seen = filled.seen(grid)
        assert float(seen.sum()) * float(np.prod(grid.voxel_mm)) == pytest.approx(volume, rel=1e-3)
        far = np.argwhere(seen > 0) - grid.to_scan((np.array(BLOCK_SHAPE) - 1) / 2)
        unit = np.asarray(direction) / np.linalg.norm(direction)
        off_axis = np.linalg.norm(np.cross(far * grid.voxel_mm, unit), axis=1)
        assert off_axis.max() < radius_mm + np.linalg.norm(grid.voxel_mm)


def test_mixing_brings_a_voxel_to_the_value_by_the_share_that_is_filled() -> None:
    grid = make_grid(make_scanner())
    filled = fill_tubes([_straight((0.0, 0.0, 1.0), 20.0, 0.5)], grid)
    image = np.full(grid.fine_shape, 2.0, np.float32)
    filled.mix(image, 0.0)
    np.testing.assert_allclose(2 - image.ravel()[filled.at], 2 * filled.share, atol=1e-6)
    assert np.count_nonzero(image != 2) == np.count_nonzero(filled.share)
    nothing = fill_tubes([], grid)
    assert not nothing.at.size
    assert not nothing.seen(grid).any()


def test_a_vein_along_the_field_raises_it_and_one_across_lowers_it() -> None:
    scanner = make_scanner(voxel_mm=(0.8, 0.8, 0.8))
    grid = make_grid(scanner)
    inside = {}
    for name, direction in (("along", (0.0, 0.0, 1.0)), ("across", (1.0, 0.0, 0.0))):
        chi = np.zeros(grid.fine_shape, np.float32)
        fill_tubes([_straight(direction, 38.0, 1.5)], grid).mix(chi, 0.4)
        x, y, z = (round(float(v)) for v in grid.to_fine((np.array(BLOCK_SHAPE) - 1) / 2))
        inside[name] = float(dipole_field(chi, grid.fine_mm, scanner.b0)[x, y, z])
    assert inside["along"] == pytest.approx(0.4 / 3, rel=0.25)
    assert inside["across"] == pytest.approx(-0.4 / 6, rel=0.25)


def test_cortical_veins_hang_together_and_stay_in_the_head(frame: Frame, phantom: LabelMap) -> None:
    plan = VesselPlan(cortical=20, branches=2.0, medullary=0, short=0, arteries=0, width=1.0, seed=4)
    vessels = lay_vessels(frame, plan)
    assert len(vessels.sinuses) == 4
    veins = vessels.veins[8:]
    assert len(veins) > 20
    points = [tube.axis for tube in (*vessels.sinuses, *veins)]
    for i, tube in enumerate(veins):
        others = np.concatenate([p for j, p in enumerate(points) if j != i + len(vessels.sinuses)])
        gap = np.linalg.norm(others - tube.axis[0], axis=1).min() * phantom.spacing_mm
        assert gap < 2.0
        step = np.linalg.norm(np.diff(tube.axis, axis=0), axis=1) * phantom.spacing_mm
        assert step.max() < 1.1
        assert (np.diff(tube.radius_mm) <= 1e-9).all()
    at = np.concatenate([tube.axis for tube in veins])
    assert ((at >= 0) & (at <= np.array(phantom.codes.shape) - 1)).mean() > 0.95


def test_the_same_plan_gives_the_same_vessels(frame: Frame) -> None:
    plan = draw_vessel_plan(np.random.default_rng(2))
    first, again = lay_vessels(frame, plan), lay_vessels(frame, plan)
    for a, b in zip(first.veins, again.veins, strict=True):
        np.testing.assert_array_equal(a.axis, b.axis)
