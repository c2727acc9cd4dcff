from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.simulate.susceptibility.blob import make_spot
from brainsift.simulate.susceptibility.images import draw_finish, high_pass_phase, map_susceptibility, phase_mask, take
from brainsift.simulate.susceptibility.physics import radians_per_ppm
from brainsift.simulate.susceptibility.scene import Scene, dephasing
from brainsift.simulate.susceptibility.tissue import TISSUES, draw_look, tissue_of
from tests.simulate.susceptibility.conftest import make_blob, make_grid, make_scanner


def _block(chi_ppm: float | None = None, **changes: object) -> tuple[Scene, tuple[int, ...]]:
    """A block of even tissue, with a ball in its middle if a susceptibility is given, and the voxel there."""
    scanner = make_scanner(**changes)
    grid = make_grid(scanner)
    scene = Scene(
        grid=grid,
        signal=np.ones(grid.fine_shape, np.complex64),
        chi_ppm=np.zeros(grid.fine_shape, np.float32),
        brain=np.ones(grid.shape, bool),
        mapped=np.ones(grid.shape, bool),
        mimics=np.zeros(grid.shape, np.uint8),
    )
    blob = make_blob(chi_ppm or 0.0)
    if chi_ppm is not None:
        spot = make_spot(blob, grid, scanner)
        assert spot is not None
        scene.add(blob, spot)
    return scene, tuple(round(float(v)) for v in grid.to_scan(np.asarray(blob.at)))


def _finish(**changes: object):  # type: ignore[no-untyped-def]
    drawn = replace(draw_finish(np.random.default_rng(0), 2), shake=None, smooth_voxels=0.0, qsm_noise=0.0, eroded=0)
    return replace(drawn, **changes)  # type: ignore[arg-type]


def test_blood_is_bright_and_calcium_dark_in_the_map_and_both_are_dark_in_the_magnitude() -> None:
    maps, sizes = {}, {}
    for name, chi in (("blood", 0.8), ("calcium", -0.8)):
        scene, at = _block(chi)
        scanner = make_scanner(noise=0.0)
        maps[name] = map_susceptibility(scene, scanner, _finish())
        sizes[name] = np.abs(take(scene, scanner, _finish()))
        near = tuple(slice(v - 2, v + 3) for v in at)
        assert sizes[name][near].min() < 0.6
        assert np.median(sizes[name]) == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(maps["blood"], -maps["calcium"], atol=1e-4)
    np.testing.assert_allclose(sizes["blood"], sizes["calcium"], atol=1e-4)
    assert maps["blood"][near].max() > 0.2
    assert abs(float(np.median(maps["blood"]))) < 0.02


def test_the_phase_mask_darkens_what_raises_the_field_and_leaves_the_rest() -> None:
    phase = np.array([-3.0, -0.5, 0.0, np.pi / 2, np.pi], np.float32)
    np.testing.assert_allclose(phase_mask(phase, 4), [1, 1, 1, 1 / 16, 0], atol=1e-6)


def test_the_high_pass_takes_off_a_slope_and_keeps_a_thin_line() -> None:
    scanner = make_scanner()
    shape = (60, 60, 6)
    x = np.arange(60, dtype=np.float32)[:, None, None]
    phase = np.broadcast_to(0.02 * x + 1.3, shape).astype(np.float32).copy()
    phase[30] += 0.9
    left = high_pass_phase(np.exp(1j * phase).astype(np.complex64), scanner, 2.6)
    assert np.abs(left[12:20]).max() < 0.1
    assert np.abs(left[40:48]).max() < 0.1
    assert left[30].min() > 0.6


def test_noise_has_the_strength_that_was_drawn() -> None:
    scene, _ = _block()
    scanner = make_scanner(noise=0.05, blur_voxels=0.0)
    signal = take(scene, scanner, _finish())
    assert float(signal.real.std()) == pytest.approx(0.05, rel=0.05)
    assert float(signal.imag.std()) == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_sheet_across_which_the_phase_turns_once_gives_nothing(axis: int) -> None:
    for change in (0.0, 1.0, 3.0, 2 * np.pi, 20.0):
        ramp = (np.arange(12, dtype=np.float32) * change).reshape([-1 if a == axis else 1 for a in range(3)])
        kept = dephasing(np.broadcast_to(ramp, (12, 12, 12)).astype(np.float32), axis)
        wanted = np.sinc(change / (2 * np.pi)) if change <= 2 * np.pi else 0.0
        np.testing.assert_allclose(kept, wanted, atol=0.03)


def test_slices_average_their_sheets_and_leave_out_the_gap() -> None:
    grid = make_grid(make_scanner(voxel_mm=(0.8, 0.8, 4.0), gap_mm=1.0))
    assert grid.sheets == 4
    assert grid.seen.sum() == pytest.approx(1)
    np.testing.assert_allclose(grid.seen, [1 / 6, 1 / 3, 1 / 3, 1 / 6], atol=1e-6)
    fine = np.zeros(grid.fine_shape, np.float32)
    fine[:, :, 4] = 1
    fine[:, :, 9] = 1
    np.testing.assert_allclose(grid.down(fine)[0, 0, :4], [0, 1 / 6, 1 / 3, 0], atol=1e-6)


def test_tissues_look_as_gradient_echoes_show_them() -> None:
    assert tissue_of(0) == "air"
    assert tissue_of(52) == "pallidum"
    assert tissue_of(530) == "lens"
    assert tissue_of(999) == "muscle"
    assert tissue_of(1007) == "cortex"
    for field, te in ((1.5, 35.0), (3.0, 20.0), (7.0, 12.0)):
        looks = [draw_look(np.random.default_rng(seed), field, te, 40.0, 15.0) for seed in range(40)]
        signal = {name: float(np.mean([look.signal[name] for look in looks])) for name in TISSUES}
        assert signal["air"] < 0.01
        assert signal["bone"] < 0.05
        assert signal["pallidum"] < 0.9 * signal["white"]
        assert signal["csf"] > 0.45 * signal["white"]
        assert np.mean([look.chi_ppm["pallidum"] > look.chi_ppm["white"] for look in looks]) == 1
    longer = draw_look(np.random.default_rng(0), 3.0, 40.0, 40.0, 15.0)
    shorter = draw_look(np.random.default_rng(0), 3.0, 10.0, 40.0, 15.0)
    ratio = {name: longer.signal[name] / longer.signal["csf"] for name in ("white", "pallidum")}
    assert ratio["white"] < shorter.signal["white"] / shorter.signal["csf"]
    assert radians_per_ppm(3.0, 40.0) == pytest.approx(4 * radians_per_ppm(3.0, 10.0))
