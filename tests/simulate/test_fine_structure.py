"""Patterns lie where they are asked for, with the period that was drawn."""

from dataclasses import replace

import numpy as np
import pytest

from brainsift.simulate.fine_structure import FineStructure, apply_fine_structure, draw_fine_structure, pattern

STRAIGHT = FineStructure(
    outside=0.3, folia=0.1, period_mm=(4.0,) * 3, directions=((1.0, 0.0, 0.0),) * 3, concentration=(8.0,) * 3, seed=3
)


def test_stripes_have_the_period_and_the_direction_that_were_drawn() -> None:
    field = pattern(STRAIGHT, (96, 60, 60), 1.0)
    power = np.abs(np.fft.rfftn(field)) ** 2
    power[0, 0, 0] = 0
    kx = np.abs(np.fft.fftfreq(96))[:, None, None]
    ky = np.abs(np.fft.fftfreq(60))[None, :, None]
    mean_x, mean_y = (float((power * k).sum() / power.sum()) for k in (kx, ky))
    assert 1 / mean_x == pytest.approx(4.0, rel=0.25)
    assert mean_x > 2 * mean_y


def test_the_brain_keeps_its_grey_values_and_the_rest_its_mean() -> None:
    values = np.array([0, 2, 8, 507])
    codes = np.zeros((40, 40, 40), np.uint8)
    codes[4:14], codes[14:24], codes[24:36] = 1, 2, 3
    tissue = np.array([0.0, 0.8, 0.6, 0.4], np.float32)[codes]
    done = apply_fine_structure(tissue, codes, values, STRAIGHT, 1.0)
    spread = [float(np.log(done[codes == code] / tissue[codes == code]).std()) for code in (1, 2, 3)]
    assert spread[0] == 0
    assert 0 < spread[1] < spread[2]
    assert (done[codes == 0] == 0).all()
    assert np.median(done[codes == 3]) == pytest.approx(0.4, rel=0.1)
    nothing = apply_fine_structure(tissue, codes, values, replace(STRAIGHT, outside=0.0, folia=0.0), 1.0)
    assert nothing is tissue


def test_the_same_draw_gives_the_same_pattern_and_some_heads_have_next_to_none() -> None:
    drawn = draw_fine_structure(np.random.default_rng(1))
    assert np.array_equal(pattern(drawn, (20, 20, 20), 1.0), pattern(drawn, (20, 20, 20), 1.0))
    amounts = [draw_fine_structure(np.random.default_rng(seed)).outside for seed in range(60)]
    assert min(amounts) < 0.1 < max(amounts) <= 0.55
