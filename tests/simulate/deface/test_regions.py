from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.deface.geometry import HeadGeometry, Region
from brainsift.simulate.deface.marked import MarkedHead, mark_head
from brainsift.simulate.deface.regions import face_levels, face_regions, front_of
from brainsift.simulate.deface.truth import LEAST_ML
from brainsift.simulate.labelmap import make_label_map
from tests.simulate.phantom import EYE, SPACING_MM, phantom_labels


def test_features_are_where_the_phantom_has_them(marked: MarkedHead, geometry: HeadGeometry) -> None:
    globes = marked.head.values[marked.head.codes] == EYE
    eyes = np.isin(geometry.regions, (Region.EYE_LEFT, Region.EYE_RIGHT))
    assert np.count_nonzero(globes & eyes) > 0.5 * np.count_nonzero(globes)
    x, y, _ = geometry.mni()
    assert x[geometry.regions == Region.EYE_LEFT].max() < 0 < x[geometry.regions == Region.EYE_RIGHT].min()
    tip = np.unravel_index(np.argmax(np.where(geometry.head, y, -999)), geometry.shape)
    assert geometry.regions[tip] == Region.NOSE
    assert x[geometry.regions == Region.EAR_LEFT].max() < -55
    assert x[geometry.regions == Region.EAR_RIGHT].min() > 55


def test_no_feature_lies_in_the_brain_or_in_the_air(geometry: HeadGeometry) -> None:
    assert not (geometry.regions[geometry.brain] > 0).any()
    assert not (geometry.regions[~geometry.head] > 0).any()


def test_from_the_surface_alone_the_eyes_come_out_at_the_same_height(geometry: HeadGeometry) -> None:
    found = face_regions(geometry.head, geometry.to_mni)
    _, _, z = geometry.mni()
    for region in (Region.EYE_LEFT, Region.EYE_RIGHT, Region.NOSE):
        assert abs(z[found == region].mean() - z[geometry.regions == region].mean()) < 12


def test_a_field_of_view_that_ends_below_the_eyes_has_no_mouth() -> None:
    labels = phantom_labels()
    # The phantom's eyes lie 28 mm below the brain's centre, its nose down to 57 mm below.
    labels[:, :, : round((150 - 42) / SPACING_MM)] = 0
    cut = mark_head(make_label_map(labels, SPACING_MM))
    volume = np.bincount(cut.region_of_code[cut.head.codes].ravel(), minlength=len(Region)) * SPACING_MM**3 / 1000
    assert volume[Region.MOUTH] < LEAST_ML[Region.MOUTH]
    assert volume[Region.EYE_LEFT] > LEAST_ML[Region.EYE_LEFT]


def test_a_ball_has_no_nose_and_the_usual_height_is_taken() -> None:
    at = np.indices((110, 135, 135)) * 2.0
    ball = ((at - np.array([110, 130, 150])[:, None, None, None]) ** 2).sum(axis=0) < 85**2
    levels = face_levels(front_of(ball))
    assert not levels.tip_found
    assert levels.eye_z == pytest.approx(-41, abs=20)
