"""A label map that knows where its face is: each code stands for a label and a region of the face."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.deface.frame import frame_of
from brainsift.simulate.deface.geometry import Float64, Region
from brainsift.simulate.deface.regions import face_regions
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap, load_label_map

VITREOUS_LABEL = 506
"""Cluster of labels that fills the globes, and the sinuses where they hold fluid."""

LEAST_GLOBE_MM3 = 2000.0
"""A third of a globe."""

LEAST_EYE_Y_MM = 53.0
"""Globes of the training maps lie at 56 mm or more in MNI152; fluid in a sinus lies behind."""


@dataclass(frozen=True, eq=False)
class MarkedHead:
    """A head with its face marked.

    Attributes
    ----------
    head : codes are joint ones of label and region; `head.values` holds the label of each, so it may repeat.
    region_of_code : uint8 (n,), `Region` of each code.
    to_mni : 4x4, voxel of the map → mm of MNI152.
    """

    head: LabelMap
    region_of_code: NDArray[np.uint8]
    to_mni: Float64


def mark_head(head: LabelMap) -> MarkedHead:
    """Find the face of a label map and mark it, so that it is deformed with the head; 2 s for 1 mm, once a head.

    Raises
    ------
    ValueError
        if the deep structures that place the head are not labelled, or labels and regions are more than 255 pairs.
    """
    to_mni = frame_of(head)
    regions = face_regions(head.codes > 0, to_mni, _eye_height(head, to_mni))
    brain, csf = brain_and_csf(head.values)
    # Behind the upper rim of an orbit lies the frontal lobe.
    regions[(brain | csf)[head.codes]] = Region.OTHER
    joint = regions.astype(np.uint16) * np.uint16(len(head.values)) + head.codes
    counts = np.bincount(joint.ravel())
    present = np.flatnonzero(counts)
    if present.size > 256:
        raise ValueError(f"a marked head may hold 255 pairs of label and region, got {present.size - 1}; merge labels")
    table = np.zeros(counts.size, np.uint8)
    table[present] = np.arange(present.size)
    labels = head.values[present % len(head.values)]
    marked = replace(head, codes=table[joint], values=labels)
    return MarkedHead(marked, (present // len(head.values)).astype(np.uint8), to_mni)


def load_marked_head(path: Path) -> MarkedHead:
    """Read a label map and mark its face."""
    return mark_head(load_label_map(path))


def _eye_height(head: LabelMap, to_mni: Float64) -> float | None:
    """Height of the globes in MNI152, mm, from their label; None where it is not there, or not where eyes are."""
    found = np.flatnonzero(head.values == VITREOUS_LABEL)
    if not found.size:
        return None
    at = 2 * np.argwhere(head.codes[::2, ::2, ::2] == found[0]) @ to_mni[:3, :3].T + to_mni[:3, 3]
    x, y, z = at.T
    heights = []
    for side in (-1, 1):
        near = (side * x > 18) & (side * x < 52) & (y > 35) & (z > -75) & (z < 5)
        if np.count_nonzero(near) * (2 * head.spacing_mm) ** 3 < LEAST_GLOBE_MM3 or np.median(y[near]) < LEAST_EYE_Y_MM:
            return None
        heights.append(float(np.median(z[near])))
    return sum(heights) / 2
