from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.deface.geometry import HeadGeometry, Region
from brainsift.simulate.deface.truth import label_of, measure_defacing

ALL = {"eyes": 0.0, "nose": 0.0, "mouth": 0.0, "ears": 0.0, "brow": 1.0}


@pytest.mark.parametrize(
    ("left", "removed_ml", "share", "depth", "label"),
    [
        ({}, 0.0, 0.0, 0.0, "correct"),
        ({"ears": 0.29}, 0.0, 0.0, 0.0, "correct"),
        ({"ears": 0.31}, 0.0, 0.0, 0.0, "insufficient"),  # ears count as the face does
        ({"eyes": 1.0, "nose": 1.0, "mouth": 1.0, "ears": 1.0}, 0.0, 0.0, 0.0, "failed"),  # nothing was done
        ({"eyes": 1.0, "nose": 1.0, "mouth": 1.0, "ears": 0.8}, 0.0, 0.0, 0.0, "insufficient"),  # something was
        ({}, 0.6, 0.001, 2.5, "excessive"),
        ({}, 0.4, 0.001, 9.0, "correct"),  # less than any brain mask errs
        ({}, 5.0, 0.004, 1.5, "correct"),  # a film as thin as the mask's error
        ({"nose": 1.0}, 20.0, 0.02, 20.0, "excessive"),  # face mostly gone
        ({"eyes": 1.0, "nose": 1.0}, 20.0, 0.02, 20.0, "failed"),  # wrong place
        ({}, 500.0, 0.4, 60.0, "failed"),  # nothing left to mend
        ({"eyes": None, "nose": None, "mouth": None, "ears": None}, 0.0, 0.0, 0.0, "correct"),
        ({"eyes": None, "nose": None, "mouth": None, "ears": None}, 9.0, 0.01, 9.0, "excessive"),
        ({"nose": None, "mouth": None, "eyes": 0.95, "ears": 1.0}, 0.0, 0.0, 0.0, "failed"),
    ],
)
def test_the_rule(left: dict[str, float | None], removed_ml: float, share: float, depth: float, label: str) -> None:
    assert label_of(ALL | left, removed_ml, share, depth)[0] == label


def test_one_eye_left_is_an_eye_left(geometry: HeadGeometry) -> None:
    mask = np.isin(geometry.regions, [r for r in Region if r not in (Region.OTHER, Region.EYE_LEFT)])
    truth = measure_defacing(geometry, mask)
    assert (truth.eyes, truth.nose, truth.mouth, truth.ears) == (1.0, 0.0, 0.0, 0.0)
    assert truth.label == "insufficient"
    assert truth.why == "left: eyes"


def test_depth_and_volume_of_a_slab_cut_off_the_frontal_lobes(geometry: HeadGeometry) -> None:
    front = int(np.flatnonzero(geometry.brain.any(axis=(0, 2)))[-1])
    for voxels in (3, 8):
        mask = np.zeros(geometry.shape, bool)
        mask[:, front + 1 - voxels :] = True
        truth = measure_defacing(geometry, mask)
        expected = np.count_nonzero(geometry.brain & mask) * geometry.voxel_ml
        assert truth.brain_removed_ml == pytest.approx(expected)
        # The lobes end in a curve: the deepest voxel of the slab lies a little nearer to the surface than its front.
        thickness = voxels * geometry.spacing_mm[1]
        assert 0.4 * thickness <= truth.brain_removed_depth_mm <= thickness


def test_a_weak_blur_leaves_the_face_and_takes_no_brain(geometry: HeadGeometry) -> None:
    everything = np.ones(geometry.shape, bool)
    truth = measure_defacing(geometry, everything, kept=0.8)
    assert truth.eyes == pytest.approx(0.8)
    assert truth.brain_removed_depth_mm == 0
    assert truth.label == "insufficient"


def test_what_the_field_of_view_does_not_show_is_absent(geometry: HeadGeometry) -> None:
    _, _, z = geometry.mni()
    regions = np.where(z < -50, 0, geometry.regions).astype(np.uint8)
    cut = HeadGeometry(geometry.brain, geometry.head, regions, geometry.to_mni, geometry.spacing_mm)
    truth = measure_defacing(cut, np.zeros(geometry.shape, bool))
    assert truth.mouth is None
    assert truth.eyes == 1.0
    assert truth.label == "failed"
    nothing = HeadGeometry(geometry.brain, geometry.head, np.zeros_like(regions), geometry.to_mni, geometry.spacing_mm)
    bare = measure_defacing(nothing, np.zeros(geometry.shape, bool))
    assert bare.face is None
    assert (bare.label, bare.why) == ("correct", "no feature of the face is in the field of view")
