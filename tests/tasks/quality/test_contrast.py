"""Loss of contrast: the measure decides where it is clear, the network where nothing can be measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.simulate.artefacts.grades import FLUID_OF_FLAIR, contrast_grade
from brainsift.tasks.quality.contrast import (
    FLUID,
    FLUID_LIMITS,
    GREY,
    WEIGHTS,
    WHITE,
    measured_contrast,
    with_measured_contrast,
)
from brainsift.tasks.quality.network import N_OUTPUTS, OUTPUTS, Answer, decode


def answer(moderate: float = 0.0, severe: float = 0.0) -> Answer:
    """Log-odds of a loss of contrast by the network."""
    logits = np.full((25, N_OUTPUTS), -9.0, np.float32)
    logits[:, OUTPUTS.index("proper")] = 9
    logits[:, OUTPUTS.index("contrast_at_least_1")] = moderate
    logits[:, OUTPUTS.index("contrast_at_least_2")] = severe
    return decode(logits)


def anatomy(confidence: float = 0.9) -> Anatomy:
    """All that is asked of one."""
    empty = np.zeros((2, 2, 2))
    return Anatomy(
        labels=empty.astype(np.uint8), affine=np.eye(4), image=empty.astype(np.float32), brain=empty > 0,
        volumes_ml={}, brain_ml=1200.0, icv_ml=1400.0, outside_fov=0.0, to_mni=None, mni_residual_mm=None,
        confidence=confidence, has_brain=True, model_id="a", model_sha256="0" * 64,
    )  # fmt: skip


def metrics(contrast: float, fluid: float = 0.2) -> dict[str, object]:
    """Of a scan whose white matter is the brighter one."""
    white = 1000 * (1 + contrast / 2)
    return {GREY: 1000 * (1 - contrast / 2), WHITE: white, FLUID: fluid * white}


def grade(contrast: float, sequence: str = "T1w", odds: float = 0.0, fluid: float = 0.2) -> int:
    return with_measured_contrast(answer(odds, odds), metrics(contrast, fluid), anatomy(), sequence).grade("contrast")


@pytest.mark.parametrize(
    ("contrast", "sequence", "expected"),
    [(0.4, "T1w", 0), (0.15, "T1w", 1), (0.03, "T1w", 2), (0.2, "FLAIR", 0), (0.05, "FLAIR", 1), (0.0, "FLAIR", 2)],
)
def test_the_grade_follows_the_measure_where_the_network_does_not_know(
    contrast: float, sequence: str, expected: int
) -> None:
    assert grade(contrast, sequence) == expected


def test_the_network_tips_what_lies_near_a_limit_and_does_not_turn_what_is_clear() -> None:
    assert [grade(0.2, odds=odds) for odds in (-3.0, 3.0)] == [0, 1]
    assert [grade(0.45, odds=odds) for odds in (-3.0, 3.0)] == [0, 0]


def test_bright_fluid_makes_a_flair_bad_whatever_its_grey_and_white_matter() -> None:
    assert [grade(0.25, "FLAIR", fluid=fluid) for fluid in (0.2, 1.6)] == [0, 2]
    assert grade(0.45, "T1w", fluid=1.6) == 0


def test_probabilities_fall_with_contrast_and_the_worse_grade_is_never_likelier() -> None:
    found = [with_measured_contrast(answer(2, 2), metrics(c), anatomy(), "T1w") for c in np.linspace(0, 0.5, 11)]
    moderate, severe = ([getattr(one, name)["contrast"] for one in found] for name in ("moderate", "severe"))
    assert moderate == sorted(moderate, reverse=True)
    assert severe == sorted(severe, reverse=True)
    assert all(b <= a for a, b in zip(moderate, severe, strict=True))
    assert found[0].moderate["motion"] == answer().moderate["motion"]


@pytest.mark.parametrize(
    ("measured", "of", "sequence"),
    [
        ({}, anatomy(), "T1w"),
        ({GREY: None, WHITE: None}, anatomy(), "T1w"),
        (metrics(0.3), anatomy(confidence=0.1), "T1w"),
        (metrics(0.3), None, "T1w"),
        (metrics(0.3), anatomy(), "PDw"),
        ({GREY: 0.0, WHITE: 0.0}, anatomy(), "T1w"),
    ],
)
def test_where_nothing_is_measured_the_network_alone_answers(
    measured: dict[str, object], of: Anatomy | None, sequence: str
) -> None:
    said = answer(1.0, -1.0)
    assert with_measured_contrast(said, measured, of, sequence) == said


def test_the_measure_is_relative_and_has_no_sign() -> None:
    assert measured_contrast(metrics(0.25), anatomy()) == pytest.approx(0.25)
    assert measured_contrast(metrics(-0.25), anatomy()) == pytest.approx(0.25)


@pytest.mark.parametrize("sequence", sorted(WEIGHTS))
def test_limits_are_those_by_which_simulated_scans_are_graded(sequence: str) -> None:
    found = [contrast_grade(limit, sequence) for limit in WEIGHTS[sequence].limits]
    assert found == pytest.approx([0.5, 1.5])
    levels = {graded: fluid for fluid, graded in FLUID_OF_FLAIR}
    assert (levels[0.5], levels[1.5]) == FLUID_LIMITS


def test_a_joint_answer_differs_from_the_network_s_in_contrast_alone() -> None:
    said = answer(3.0, 3.0)
    joint = with_measured_contrast(said, metrics(0.4), anatomy(), "T1w")
    assert replace(joint, moderate=said.moderate, severe=said.severe) == said
    assert joint.tier() == 1
    assert said.tier() == 3
