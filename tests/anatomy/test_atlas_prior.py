"""The average head that is laid over a scan."""

import numpy as np
import pytest

from brainsift.anatomy.atlas_prior import (
    PRIOR_MM,
    PRIOR_ORIGIN_MM,
    PRIOR_SHAPE,
    load_prior,
    prior_affine,
    sample,
    table_coordinates,
)
from brainsift.anatomy.labels import BRAIN
from brainsift.anatomy.mni_reference import load_reference
from brainsift.anatomy.moments import CLASSES
from brainsift.anatomy.structures import TISSUE_OF


def test_prior_is_a_probability_and_symmetric_about_the_midline() -> None:
    prior = load_prior()
    np.testing.assert_allclose(prior.sum(axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(prior, prior[::-1], atol=0.01)
    assert PRIOR_ORIGIN_MM[0] + (PRIOR_SHAPE[0] - 1) * PRIOR_MM / 2 == 0


def test_prior_lies_where_the_reference_of_the_fit_lies() -> None:
    grid = np.stack(np.meshgrid(*map(np.arange, PRIOR_SHAPE), indexing="ij"), axis=-1) * PRIOR_MM + PRIOR_ORIGIN_MM
    centres = load_reference().cloud.class_centres()
    for tissue, centre in zip(CLASSES, centres, strict=True):
        share = load_prior()[..., tissue == TISSUE_OF].sum(axis=-1)
        found = np.average(grid.reshape(-1, 3), axis=0, weights=share.ravel())
        assert np.linalg.norm(found[1:] - centre[1:]) < 3.0, tissue.name


def test_brain_of_the_prior_has_the_volume_of_mni152() -> None:
    litres = load_prior()[..., np.isin(TISSUE_OF, BRAIN)].sum() * PRIOR_MM**3 / 1e6
    assert 1.4 < litres < 1.9


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (8.0, -12.0, 4.0)])
def test_coordinates_move_as_the_affine_says(shift: tuple[float, float, float]) -> None:
    to_mni = np.eye(4)
    to_mni[:3, 3] = shift
    at = table_coordinates(to_mni, PRIOR_SHAPE, prior_affine())
    np.testing.assert_allclose(at[:, 5, 6, 7], np.array([5, 6, 7]) + np.array(shift) / PRIOR_MM, atol=1e-4)


def test_sampling_interpolates_and_goes_on_beyond_the_rim() -> None:
    rng = np.random.default_rng(0)
    shares = rng.random((4, 5, 6, 17), dtype=np.float32)
    at = np.array([[1.0, 1.5, -9.0], [2.0, 2.0, 0.0], [3.0, 3.0, 0.0]], np.float32).reshape(3, 3, 1, 1)
    values = sample(shares, at)[:, 0, 0]
    np.testing.assert_allclose(values[0], shares[1, 2, 3], rtol=1e-5)
    np.testing.assert_allclose(values[1], (shares[1, 2, 3] + shares[2, 2, 3]) / 2, rtol=1e-4)
    np.testing.assert_allclose(values[2], shares[0, 0, 0], rtol=1e-5)
