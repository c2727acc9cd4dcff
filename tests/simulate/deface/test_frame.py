from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.simulate.deface.frame import CENTRES_MM, frame_after, frame_of
from brainsift.simulate.deface.marked import MarkedHead
from brainsift.simulate.deform import DeformRanges, deform, draw_deformation
from brainsift.simulate.labelmap import make_label_map
from tests.simulate.phantom import SPACING_MM, phantom_labels

STILL = DeformRanges(elastic_mm=0, elastic_fine_mm=0, ventricle_mm=0)


def _centre(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return affine[:3, :3] @ np.argwhere(mask).mean(axis=0) + affine[:3, 3]


def test_deep_structures_lie_where_mni152_has_them_and_left_stays_left() -> None:
    head = make_label_map(phantom_labels(), SPACING_MM)
    affine = frame_of(head)
    for label in (10, 49, 17, 53):
        at = _centre(head.values[head.codes] == label, affine)
        # The extents of the brain place it; within them the phantom has its structures too far back.
        assert np.abs(at - CENTRES_MM[label]).max() < 18, label
        assert np.sign(at[0]) == np.sign(CENTRES_MM[label][0])


def test_a_map_without_deep_structures_is_refused() -> None:
    labels = phantom_labels()
    labels[np.isin(labels, list(CENTRES_MM))] = 2
    with pytest.raises(ValueError, match="holds 0 of"):
        frame_of(make_label_map(labels, SPACING_MM))


@pytest.mark.parametrize("mirror", [False, True])
def test_the_frame_follows_the_head_into_another_grid(
    marked: MarkedHead, rng: np.random.Generator, mirror: bool
) -> None:
    drawn = replace(draw_deformation(rng, STILL), mirror=mirror)
    shape = (70, 80, 84)
    codes = deform(marked.head, drawn, shape, 3.0)
    after = frame_after(marked.to_mni, marked.head, drawn, shape, 3.0)
    values = marked.head.values
    for label, twin in ((10, 49), (49, 10), (17, 53)):
        before = _centre(values[marked.head.codes] == (twin if mirror else label), marked.to_mni)
        before *= (-1, 1, 1) if mirror else (1, 1, 1)
        now = _centre(values[codes] == (twin if mirror else label), after)
        assert np.abs(now - before).max() < 3.0
