"""A head of ellipsoids whose face is marked, and its geometry as it lies."""

from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.deface.geometry import HeadGeometry
from brainsift.simulate.deface.marked import MarkedHead, mark_head
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import make_label_map
from tests.simulate.phantom import SPACING_MM, phantom_labels


@pytest.fixture(scope="session")
def marked() -> MarkedHead:
    """The phantom with ears stuck on, 2 mm."""
    labels = phantom_labels()
    # Pinnae: thin plates that stand off from the head.
    solid = labels > 0
    for side in (-1, 1):
        x = np.arange(labels.shape[0]) * SPACING_MM - 84.0
        near = (side * x >= 60) & (side * x <= 92)
        plate = np.zeros_like(solid)
        plate[np.ix_(np.flatnonzero(near), range(26, 36), range(46, 72))] = True
        labels[plate & ~solid] = 511
    return mark_head(make_label_map(labels, SPACING_MM))


@pytest.fixture(scope="session")
def geometry(marked: MarkedHead) -> HeadGeometry:
    """The phantom on its own grid."""
    brain, _ = brain_and_csf(marked.head.values)
    codes = marked.head.codes
    return HeadGeometry(
        brain[codes],
        (marked.head.values > 0)[codes],
        marked.region_of_code[codes],
        marked.to_mni,
        (SPACING_MM,) * 3,
    )
