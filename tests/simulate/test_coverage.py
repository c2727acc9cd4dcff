from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.simulate.coverage import WHOLE, draw_coverage, keep_mask

SHAPE = (60, 70, 80)
CENTRE = np.array([30.0, 35.0, 40.0])
SPACING_MM = 2.0


@pytest.fixture
def brain() -> np.ndarray:
    grid = np.indices(SHAPE) - CENTRE.reshape(3, 1, 1, 1)
    return (grid**2).sum(axis=0) <= 15**2


@pytest.fixture
def csf(brain: np.ndarray) -> np.ndarray:
    grid = np.indices(SHAPE) - CENTRE.reshape(3, 1, 1, 1)
    return ((grid**2).sum(axis=0) <= 18**2) & ~brain


def test_a_whole_scan_keeps_everything(brain: np.ndarray, csf: np.ndarray) -> None:
    assert keep_mask(brain, csf, CENTRE, WHOLE, SPACING_MM).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_cuts_are_where_they_are_said_to_be(axis: int, brain: np.ndarray, csf: np.ndarray) -> None:
    low, high = [-999.0] * 3, [999.0] * 3
    low[axis], high[axis] = -20.0, 30.0
    cut = replace(WHOLE, low_mm=tuple(low), high_mm=tuple(high))
    kept = np.argwhere(keep_mask(brain, csf, CENTRE, cut, SPACING_MM))
    limits_mm = (kept[:, axis].min() - CENTRE[axis]) * SPACING_MM, (kept[:, axis].max() - CENTRE[axis]) * SPACING_MM
    assert limits_mm == (-20.0, 30.0)
    others = [a for a in range(3) if a != axis]
    assert [np.ptp(kept[:, a]) + 1 for a in others] == [SHAPE[a] for a in others]


def test_stripping_keeps_the_brain_alone_or_with_its_fluid(brain: np.ndarray, csf: np.ndarray) -> None:
    bare = keep_mask(brain, csf, CENTRE, replace(WHOLE, strip="brain"), SPACING_MM)
    wet = keep_mask(brain, csf, CENTRE, replace(WHOLE, strip="csf"), SPACING_MM)
    assert np.array_equal(bare, brain)
    assert np.array_equal(wet, brain | csf)


@pytest.mark.parametrize(("margin", "sign"), [(2.0, 1), (-2.0, -1)])
def test_a_stripping_margin_grows_or_eats_the_mask(
    margin: float, sign: int, brain: np.ndarray, csf: np.ndarray
) -> None:
    kept = keep_mask(brain, csf, CENTRE, replace(WHOLE, strip="brain", strip_margin_mm=margin), SPACING_MM)
    assert np.sign(np.count_nonzero(kept) - np.count_nonzero(brain)) == sign


def test_defacing_takes_the_lower_front_and_no_brain(brain: np.ndarray, csf: np.ndarray) -> None:
    kept = keep_mask(brain, csf, CENTRE, replace(WHOLE, deface=True), SPACING_MM)
    gone_mm = (np.argwhere(~kept) - CENTRE) * SPACING_MM
    assert gone_mm[:, 1].min() > 20
    assert gone_mm[:, 2].min() == -CENTRE[2] * SPACING_MM
    assert kept[brain].all()


def test_shares_are_those_asked_for() -> None:
    rng = np.random.default_rng(6)
    drawn = [draw_coverage(rng, cut=0.0, strip=0.5, deface=0.0) for _ in range(400)]
    assert 0.4 < np.mean([c.strip != "none" for c in drawn]) < 0.6
    assert not any(c.deface for c in drawn)
    assert all(c.low_mm[:2] == (-999.0, -999.0) for c in drawn)
