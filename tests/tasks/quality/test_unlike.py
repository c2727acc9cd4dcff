"""Scans that the network should not be believed about, though it calls them proper."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from brainsift.decide.doubt import DOUBT_FLAGS, doubts
from brainsift.tasks.base import Finding
from brainsift.tasks.quality.network import N_OUTPUTS, OUTPUTS, SEQUENCES, Answer, decode
from brainsift.tasks.quality.unlike import METRIC_LIMITS, dissent, sequence_entropy, unlike_training

ONE_MM = (1.0, 1.0, 1.0)
BRAIN: Any = SimpleNamespace(has_brain=True, confidence=0.8)


def answer(proper: float = 9.0, **sequences: float) -> Answer:
    """An answer that is sure of T1w unless sequences are given, all slices alike."""
    rows = np.full((25, N_OUTPUTS), -9.0, np.float32)
    rows[:, 0] = proper
    for name, logit in (sequences or {"T1w": 9.0}).items():
        rows[:, OUTPUTS.index(f"sequence_{name}")] = logit
    return decode(rows)


def test_a_scan_like_those_of_training_has_no_flag() -> None:
    assert unlike_training(answer(), ONE_MM, BRAIN, {"icvs_gm": 0.45, "fwhm_avg": 3.5, "cjv": 5.0}) == {}


def test_every_flag_is_one_that_refers() -> None:
    odd = answer(Chimap=2, T2w=2, FLAIR=2, T1w=2)
    found = unlike_training(odd, (3.0, 1.0, 1.0), None, {})
    assert set(found) == {"out_of_distribution", "low_confidence", "outside_training_range"}
    assert set(found) <= set(DOUBT_FLAGS)
    finding = Finding(task="quality", label="proper", flags=tuple(found), measurements=dict(found))
    assert len(doubts(finding)) == 3


def test_what_is_called_improper_is_not_doubted_again() -> None:
    assert unlike_training(answer(proper=-4, other=9), (6.0, 1.0, 1.0), None, {"icvs_wm": 0.9}) == {}


def test_a_severe_artefact_explains_why_a_scan_looks_like_no_sequence() -> None:
    made = answer(**dict.fromkeys(SEQUENCES, 9.0))
    assert unlike_training(made, ONE_MM, BRAIN, {})
    severe = replace(made, moderate=made.moderate | {"motion": 0.99}, severe=made.severe | {"motion": 0.95})
    assert unlike_training(severe, ONE_MM, BRAIN, {}) == {}
    assert set(unlike_training(severe, ONE_MM, None, {})) == {"low_confidence"}


def test_a_proper_scan_of_no_sequence_is_a_contradiction() -> None:
    found = unlike_training(answer(other=9), ONE_MM, BRAIN, {})
    assert found == {"out_of_distribution": "it looks like a proper scan, but of no known sequence"}


@pytest.mark.parametrize(("alike", "flagged"), [(1, False), (2, False), (3, True), (6, True)])
def test_a_picture_that_might_be_of_many_sequences_is_flagged(alike: int, flagged: bool) -> None:
    made = answer(**dict.fromkeys(SEQUENCES[:alike], 9.0))
    assert sequence_entropy(made) == pytest.approx(np.log(alike) / np.log(len(SEQUENCES)), abs=1e-3)
    assert bool(unlike_training(made, ONE_MM, BRAIN, {})) is flagged


@pytest.mark.parametrize(("against", "flagged"), [(0, False), (8, False), (9, True), (24, True)])
def test_slices_that_contradict_the_whole_are_told(against: int, flagged: bool) -> None:
    slices = np.full(24, 0.9, np.float32)
    slices[:against] = 0.2
    made = replace(answer(), slice_proper=slices)
    assert dissent(made) == pytest.approx(against / 24)
    assert bool(unlike_training(made, ONE_MM, BRAIN, {})) is flagged


@pytest.mark.parametrize(
    ("has_brain", "confidence", "flagged"), [(True, 0.31, False), (True, 0.29, True), (False, 0.9, True)]
)
def test_no_brain_or_a_doubtful_one_is_told(has_brain: bool, confidence: float, flagged: bool) -> None:
    anatomy: Any = SimpleNamespace(has_brain=has_brain, confidence=confidence)
    assert ("low_confidence" in unlike_training(answer(), ONE_MM, anatomy, {})) is flagged


@pytest.mark.parametrize(
    ("spacing", "flagged"),
    [((0.7, 0.7, 0.7), False), ((1.75, 1.75, 1.75), False), ((1, 1, 3), True), ((0.4,) * 3, True)],
)
def test_voxels_that_training_never_showed_are_told(spacing: tuple[float, ...], flagged: bool) -> None:
    assert ("outside_training_range" in unlike_training(answer(), spacing, BRAIN, {})) is flagged


@pytest.mark.parametrize("name", METRIC_LIMITS)
def test_metrics_beyond_those_of_other_scans_are_told_and_missing_ones_are_not(name: str) -> None:
    low, high = METRIC_LIMITS[name]
    assert unlike_training(answer(), ONE_MM, BRAIN, {name: (low + high) / 2}) == {}
    assert unlike_training(answer(), ONE_MM, BRAIN, {name: None}) == {}
    assert name in unlike_training(answer(), ONE_MM, BRAIN, {name: high + 0.1})["outside_training_range"]
