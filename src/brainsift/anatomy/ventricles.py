"""The lateral ventricles apart from the third and the fourth, which the labels hold as one class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.atlas_prior import load_prior, prior_affine, sample
from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.structures import STRUCTURES

Mask = NDArray[np.bool_]

_NAMES = [structure.name for structure in STRUCTURES]
_LATERAL, _MIDDLE = _NAMES.index("lateral_ventricles"), _NAMES.index("middle_ventricles")


def lateral_ventricles(anatomy: Anatomy) -> Mask:
    """Voxels of the lateral ventricles, bool (X, Y, Z).

    A ventricle's voxel is the third or fourth one's where the average head has rather that one there; ventricles that
    are larger than the average ones stay lateral. All of them are, where the brain is not placed in MNI152.
    """
    lateral: Mask = anatomy.labels == Tissue.VENTRICLES
    if anatomy.to_mni is None or not lateral.any():
        return lateral
    voxels = np.argwhere(lateral)
    to_table = np.linalg.inv(prior_affine()) @ anatomy.to_mni @ anatomy.affine
    at = (voxels @ to_table[:3, :3].T + to_table[:3, 3]).T.astype(np.float32)
    shares = sample(load_prior()[..., [_LATERAL, _MIDDLE]], at)
    lateral[tuple(voxels[shares[:, 1] > shares[:, 0]].T)] = False
    return lateral
