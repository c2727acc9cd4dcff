"""Sulci made wider and narrower."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from brainsift.simulate.freesurfer import CORTEX, FLUID
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.sulci import narrow_sulci, widen_sulci

Change = Callable[[LabelMap, float, int], LabelMap]


def voxels(head: LabelMap, values: tuple[int, ...]) -> int:
    return int(np.count_nonzero(np.isin(head.values, values)[head.codes]))


@pytest.mark.parametrize(("change", "given", "taken"), [(widen_sulci, CORTEX, FLUID), (narrow_sulci, FLUID, CORTEX)])
def test_the_share_asked_for_changes_hands_and_nothing_else(
    phantom: LabelMap, change: Change, given: tuple[int, ...], taken: tuple[int, ...]
) -> None:
    changed = [change(phantom, share, 1) for share in (0.0, 0.3, 0.6)]
    lost = [voxels(phantom, given) - voxels(one, given) for one in changed]
    assert lost[0] == 0
    assert lost[1] > 0
    assert lost[2] == pytest.approx(2 * lost[1], rel=0.05)
    assert [voxels(one, taken) - voxels(phantom, taken) for one in changed] == lost


def test_narrowed_sulci_fill_with_cortex_of_their_side(phantom: LabelMap) -> None:
    full = narrow_sulci(phantom, 1.0, 1)
    left, right = (phantom.codes == np.flatnonzero(phantom.values == value)[0] for value in CORTEX)
    middle = np.argwhere(left | right)[:, 0].mean()
    grown = full.codes != phantom.codes
    for value, side in zip(CORTEX, (left, right), strict=True):
        new = np.argwhere(grown & (full.values[full.codes] == value))[:, 0]
        old = np.argwhere(side)[:, 0]
        assert len(new) > 0
        assert np.mean((new < middle) == (old.mean() < middle)) > 0.95


def test_patches_are_as_large_as_asked_for(phantom: LabelMap) -> None:
    """Halves of a brain get unequal parts of large patches, and equal parts of small ones."""

    def apart(patch_mm: float) -> float:
        shares = []
        for seed in range(6):
            x = np.argwhere(narrow_sulci(phantom, 0.5, seed, patch_mm).codes != phantom.codes)[:, 1]
            shares.append(abs(float(np.mean(x < phantom.centre[1])) - 0.5))
        return float(np.mean(shares))

    assert apart(80.0) > 2 * apart(4.0)


def test_a_head_without_fluid_stays_as_it_is(phantom: LabelMap) -> None:
    values = np.where(np.isin(phantom.values, FLUID), 999, phantom.values)
    dry = LabelMap(phantom.codes, values, phantom.spacing_mm, phantom.centre, phantom.pull)
    assert narrow_sulci(dry, 0.5, 1) is dry
    assert voxels(widen_sulci(dry, 0.5, 1), CORTEX) == voxels(dry, CORTEX)
