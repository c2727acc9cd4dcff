from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.artefacts.grades import (
    USUAL_CONTRAST,
    Grades,
    contrast_grade,
    motion_grade,
    noise_grade,
    whole,
)


@pytest.mark.parametrize(("mm", "grade"), [(0.0, 0), (0.5, 0), (0.7, 1), (2.0, 1), (2.5, 2), (9.0, 2)])
def test_motion_is_cut_at_its_displacements(mm: float, grade: int) -> None:
    assert whole(motion_grade(mm)) == grade


@pytest.mark.parametrize(("snr", "grade"), [(50.0, 0), (16.0, 0), (14.0, 1), (8.0, 1), (6.0, 2), (0.0, 2)])
def test_noise_is_cut_at_its_snr(snr: float, grade: int) -> None:
    assert whole(noise_grade(snr)) == grade


@pytest.mark.parametrize(("relative", "grade"), [(0.4, 0), (0.22, 0), (0.18, 1), (0.12, 1), (0.08, 2)])
def test_contrast_is_cut_at_what_is_left(relative: float, grade: int) -> None:
    assert whole(contrast_grade(relative)) == grade


@pytest.mark.parametrize("sequence", USUAL_CONTRAST)
def test_other_sequences_are_judged_by_what_they_usually_have(sequence: str) -> None:
    assert whole(contrast_grade(0.25 * USUAL_CONTRAST[sequence], sequence)) == 0
    assert whole(contrast_grade(0.08 * USUAL_CONTRAST[sequence], sequence)) == 2


def test_grades_are_monotone_and_within_range() -> None:
    motion = [motion_grade(mm) for mm in np.linspace(0, 6, 61)]
    noise = [noise_grade(snr) for snr in np.linspace(60, 1, 61)]
    contrast = [contrast_grade(share) for share in np.linspace(0.5, 0, 61)]
    for grades in (motion, noise, contrast):
        assert grades == sorted(grades)
        assert (min(grades), max(grades)) == (0, 2)


def test_ghosts_and_ringing_count_as_motion_and_spikes_as_noise() -> None:
    assert whole(motion_grade(0.0, ghost=0.12)) == 1
    assert whole(motion_grade(0.0, ringing=0.25)) == 2
    assert motion_grade(2.0, ghost=0.01) == motion_grade(2.0)
    assert whole(noise_grade(30.0, spikes=0.25)) == 2


def test_motion_that_hardly_shows_is_graded_between_what_was_done_and_what_shows() -> None:
    assert whole(motion_grade(3.0)) == 2
    assert whole(motion_grade(3.0, change=0.09)) == 1
    assert motion_grade(2.5, change=0.20) == pytest.approx(1.5)


def test_the_tier_is_one_more_than_the_worst() -> None:
    assert Grades(0.2, 0.1, 0.0).tier == 1
    assert Grades(0.2, 0.7, 0.0).tier == 2
    assert Grades(0.2, 0.7, 1.6).tier == 3
    assert Grades(None, None, None).tier is None


def test_an_unknown_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match=r"T1w.*got CT"):
        contrast_grade(0.3, "CT")
