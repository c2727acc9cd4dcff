"""Whether the skull was removed: how much of the image lies outside brain and fluid."""

from __future__ import annotations

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import is_any
from brainsift.anatomy.labels import INTRACRANIAL
from brainsift.anatomy.normalise import normalise, padding_value, sample_voxels

RIM_VOXELS = 2
"""4 mm of tissue around the labelled brain still count as brain: meninges that the stripping left, and blurred
edges."""

TISSUE_LEVEL = 0.08
"""Of the normalised image: dimmer is air or padding."""

MAX_OUTSIDE_RATIO = 0.2
"""Tissue outside the brain, as a share of the brain: whole heads have 0.6-2, stripped brains under 0.1."""

MIN_PADDING_SHARE = 0.05
"""A stripped scan has this much masked background; a crop inside the brain has none, and cannot be told."""

MIN_INTRACRANIAL_ML = 100.0


def outside_ratio(anatomy: Anatomy) -> float | None:
    """Volume of tissue outside the skull's content over that content; ``None`` where there is too little brain."""
    from scipy.ndimage import binary_dilation

    inside = is_any(anatomy.labels, INTRACRANIAL) | anatomy.brain
    voxel_ml = float(abs(np.linalg.det(anatomy.affine[:3, :3]))) / 1000.0
    if inside.sum() * voxel_ml < MIN_INTRACRANIAL_ML:
        return None
    tissue = normalise(anatomy.image) > TISSUE_LEVEL
    near = binary_dilation(inside, iterations=RIM_VOXELS)
    return float((tissue & ~near).sum() / inside.sum())


def is_skull_stripped(anatomy: Anatomy) -> bool | None:
    """Whether the scan shows a brain without a head; ``None`` where that cannot be told."""
    ratio = outside_ratio(anatomy)
    if ratio is None:
        return None
    if ratio > MAX_OUTSIDE_RATIO:
        return False
    sample = sample_voxels(anatomy.image)
    padding = padding_value(sample)
    share = 0.0 if padding is None else float(np.mean(sample == np.float32(padding)))
    return share >= MIN_PADDING_SHARE
