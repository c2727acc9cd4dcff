"""Signals move with what they are named after, and with nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.tasks.defacing.average import BOXES, FEATURES, box_slices
from brainsift.tasks.defacing.evidence import brain_is_gone, contradicts, face_is_in_view, face_is_there
from brainsift.tasks.defacing.frame import GRID_SHAPE
from brainsift.tasks.defacing.network import look_at
from brainsift.tasks.defacing.signals import NAMES, Signals
from tests.tasks.defacing.scene import Bool, ears_cut, face_cut, mm, scan


def signals_of(taken: Bool | None = None) -> Signals:
    return look_at(*scan(taken)).signals


@pytest.fixture(scope="module")
def whole() -> Signals:
    return signals_of()


@pytest.fixture(scope="module")
def faceless() -> Signals:
    return signals_of(face_cut())


@pytest.fixture(scope="module")
def brain_cut() -> Signals:
    return signals_of(face_cut(-40.0))


def test_every_signal_is_answered(whole: Signals) -> None:
    assert tuple(whole) == NAMES
    assert all(value is None or np.isfinite(value) for value in whole.values())


def test_a_whole_face_is_seen_as_one(whole: Signals) -> None:
    assert face_is_there(whole)
    assert face_is_in_view(whole)
    assert not brain_is_gone(whole)
    assert all((whole[f"{name}_left"] or 0) > 0.8 for name in FEATURES)
    assert abs(whole["face_sunk_mm"] or 99) < 2


def test_a_removed_face_is_missed(faceless: Signals, whole: Signals) -> None:
    assert not face_is_there(faceless)
    for name in ("eyes", "nose", "mouth"):
        assert (faceless[f"{name}_left"] or 0) < 0.4, name
    assert (faceless["face_sunk_mm"] or 0) > 25
    assert (faceless["ears_left"] or 0) > 0.7
    assert not brain_is_gone(faceless)


def test_a_plane_is_flat_and_a_face_is_not(whole: Signals, faceless: Signals) -> None:
    assert (faceless["flat_share"] or 0) > 2 * (whole["flat_share"] or 1)


def test_what_the_field_of_view_ends_before_is_not_sunk() -> None:
    volume, anatomy = scan()
    short = replace(volume, data=volume.data[:, :, 40:], affine=volume.affine @ np.array(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 40.0], [0, 0, 0, 1]]
    ))  # fmt: skip
    cut = replace(anatomy, image=anatomy.image[:, :, 40:], brain=anatomy.brain[:, :, 40:], affine=short.affine)
    signals = look_at(short, cut).signals
    assert abs(signals["face_sunk_mm"] or 0) < 3
    assert (signals["mouth_in_view"] or 0) < 0.1
    assert signals["mouth_left"] is None


def test_ears_are_missed_alone(whole: Signals) -> None:
    earless = signals_of(ears_cut())
    assert (earless["ears_left"] or 0) < 0.75 * (whole["ears_left"] or 0)
    assert earless["nose_left"] == pytest.approx(whole["nose_left"], abs=0.02)


def test_removed_brain_is_measured(brain_cut: Signals, faceless: Signals) -> None:
    assert brain_is_gone(brain_cut)
    assert (brain_cut["brain_missing_ml"] or 0) > 20
    assert (brain_cut["exposed_brain_cm2"] or 0) > (faceless["exposed_brain_cm2"] or 0) + 10


def test_deeper_cuts_take_more_brain() -> None:
    lost = [signals_of(face_cut(-depth))["brain_missing_ml"] or 0 for depth in (10.0, 20.0, 30.0)]
    assert lost == sorted(lost)
    assert lost[0] < lost[-1]


def test_blanked_air_before_the_face_is_told_from_air(whole: Signals, faceless: Signals) -> None:
    assert whole["blank_before_share"] == 0
    assert (faceless["blank_before_share"] or 0) > 0.5
    assert faceless["blank_behind_share"] == 0


def test_evidence_contradicts_a_wrong_label(whole: Signals, faceless: Signals, brain_cut: Signals) -> None:
    assert contradicts("correct", whole)
    assert not contradicts("correct", faceless)
    assert contradicts("correct", brain_cut)
    assert contradicts("insufficient", brain_cut)
    assert contradicts("excessive", whole)
    assert not contradicts("failed", whole)


def test_boxes_of_features_do_not_overlap_and_lie_on_the_grid() -> None:
    taken = np.zeros(GRID_SHAPE, np.int8)
    for name in FEATURES:
        for box in BOXES[name]:
            assert all(part.start < part.stop for part in box_slices(box))
            taken[box_slices(box)] += 1
    x, _, _ = mm()
    assert (taken == taken[::-1]).all(), "left and right are alike"
    assert x[0] == -x[-1]
    assert taken.max() <= 2
