"""Structures fall into the tissues that are given out."""

import numpy as np

from brainsift.anatomy.labels import FREESURFER_TO_TISSUE, group_freesurfer
from brainsift.anatomy.structures import (
    N_STRUCTURES,
    STRUCTURES,
    TISSUE_OF,
    from_tissues,
    group_structures,
    to_tissues,
)


def test_every_freesurfer_label_falls_into_the_same_tissue_either_way() -> None:
    labels = np.array([0, *FREESURFER_TO_TISSUE, 502, 530, 1001, 2035, 3001, 4035])
    np.testing.assert_array_equal(TISSUE_OF[group_structures(labels)], group_freesurfer(labels))


def test_no_label_belongs_to_two_structures() -> None:
    labels = [label for structure in STRUCTURES for label in structure.labels]
    assert len(labels) == len(set(labels))


def test_tissues_are_the_sums_of_their_structures() -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(N_STRUCTURES), 5).T.astype(np.float32)
    tissues = to_tissues(shares)
    np.testing.assert_allclose(tissues.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(to_tissues(from_tissues(tissues)), tissues)
