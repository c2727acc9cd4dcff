"""The rim of masked scans on the working grid."""

import numpy as np
import pytest

from brainsift.anatomy.emptiness import fill_partly_empty, filled_share
from brainsift.scans.conform import to_working_grid
from brainsift.scans.volume import Volume
from tests.anatomy.synthetic import volume_of

AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])


def ball(outside: float, noise: float = 0.0) -> tuple[Volume, np.ndarray]:
    """A ball of brightness 100, radius 20.3 mm, in 1 mm voxels, and where it is."""
    at = np.indices((60, 60, 60)) - 29.5
    inside = (at**2).sum(axis=0) < 20.3**2
    air = outside + noise * np.random.default_rng(0).normal(size=inside.shape)
    return volume_of(np.where(inside, 100.0, air).astype(np.float32), AFFINE), inside


@pytest.mark.parametrize("outside", [0.0, -3.0])
def test_the_rim_is_as_bright_as_what_is_in_it_and_volume_is_kept(outside: float) -> None:
    volume, inside = ball(outside)
    grid, _ = to_working_grid(volume)
    assert np.count_nonzero((grid > outside + 1) & (grid < 99)) > 500
    filled = fill_partly_empty(grid, filled_share(volume, grid))
    np.testing.assert_allclose(np.unique(filled.round(3)), [outside, 100.0], atol=1e-2)
    assert 8 * np.count_nonzero(filled > 50) == pytest.approx(np.count_nonzero(inside), rel=0.03)


def test_shares_of_the_rim_add_up_to_what_is_filled() -> None:
    volume, inside = ball(0.0)
    share = filled_share(volume, to_working_grid(volume)[0])
    assert share is not None
    assert 8 * float(share.sum()) == pytest.approx(np.count_nonzero(inside), rel=1e-3)
    assert ((share > 0.05) & (share < 0.95)).any()


def test_a_scan_without_padding_stays_as_it_is() -> None:
    volume, _ = ball(5.0, noise=1.0)
    grid, _ = to_working_grid(volume)
    assert filled_share(volume, grid) is None
    assert fill_partly_empty(grid, None) is grid
