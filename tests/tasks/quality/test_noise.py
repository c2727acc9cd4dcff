"""Noise: the measure finds the noise that was added, and network and measure are weighed."""

from __future__ import annotations

import numpy as np
import pytest

from brainsift.anatomy.labels import Tissue
from brainsift.simulate.artefacts.grades import noise_grade, whole
from brainsift.tasks.quality.network import N_OUTPUTS, OUTPUTS, Answer, decode
from brainsift.tasks.quality.noise import LARGEST, LIMITS, measured_snr, with_measured_noise
from tests.tasks.quality.metrics_scene import NATIVE_SHAPE, anatomy_of, clean_head, labels, native_labels, volume_of


def answer(moderate: float = 0.0, severe: float = 0.0, moved: float = -9.0) -> Answer:
    """Log-odds of noise, and of movement, by the network."""
    logits = np.full((25, N_OUTPUTS), -9.0, np.float32)
    logits[:, OUTPUTS.index("motion_at_least_1")] = moved
    logits[:, OUTPUTS.index("noise_at_least_1")] = moderate
    logits[:, OUTPUTS.index("noise_at_least_2")] = severe
    return decode(logits)


@pytest.mark.parametrize("sd", [20.0, 60.0, 120.0])
def test_the_noise_that_was_added_is_found_in_native_voxels(sd: float) -> None:
    clean = clean_head()
    noisy = volume_of(clean + np.random.default_rng(0).normal(0, sd, NATIVE_SHAPE).astype(np.float32))
    brain = np.isin(native_labels(), np.unique(labels()[anatomy_of(noisy).brain]))
    assert measured_snr(noisy, anatomy_of(noisy)) == pytest.approx(float(clean[brain].mean()) / sd, rel=0.05)


def test_nothing_is_measured_where_the_tissues_cannot_be_trusted_or_nothing_is_noisy() -> None:
    still = volume_of(clean_head())
    assert measured_snr(still, None) is None
    assert measured_snr(still, anatomy_of(still, confidence=0.1)) is None
    assert measured_snr(still, anatomy_of(still, np.zeros_like(labels()))) is None
    assert measured_snr(still, anatomy_of(still)) is None, "not a trace of noise"
    negative = volume_of(clean_head() - 900)
    assert measured_snr(negative, anatomy_of(negative)) is None
    no_white = np.where(labels() == Tissue.WHITE, Tissue.CORTEX, labels()).astype(np.uint8)
    noisy = volume_of(clean_head() + np.random.default_rng(0).normal(0, 50, NATIVE_SHAPE))
    assert measured_snr(noisy, anatomy_of(noisy, no_white)) is None


@pytest.mark.parametrize("snr", [50.0, 30.0, 11.0, 5.0, 3.0])
def test_the_grade_is_that_of_the_rule_where_the_network_does_not_know(snr: float) -> None:
    assert with_measured_noise(answer(), snr).grade("noise") == whole(noise_grade(snr))


def test_the_network_tips_what_lies_near_a_limit_and_stripes_count_whatever_is_measured() -> None:
    near = 1.05 * LIMITS[0]
    assert [with_measured_noise(answer(odds, -9), near).grade("noise") for odds in (-3.0, 3.0)] == [0, 1]
    assert with_measured_noise(answer(12.0, 12.0), 40.0).grade("noise") == 2


def test_ripples_of_movement_are_not_charged_as_noise_and_their_lack_clears() -> None:
    assert [with_measured_noise(answer(-1, -1, moved), 5.0).grade("noise") for moved in (-9.0, 9.0)] == [2, 0]
    assert [with_measured_noise(answer(3, -1, moved), 40.0).grade("noise") for moved in (-9.0, 9.0)] == [0, 0]


def test_an_image_without_fine_detail_is_left_to_the_network() -> None:
    seen = answer(3.0, -3.0)
    assert with_measured_noise(seen, None) is seen
    assert with_measured_noise(seen, 1.01 * LARGEST) is seen
    assert with_measured_noise(seen, 0.5 * LARGEST).grade("noise") == 0


def test_probabilities_fall_with_the_snr_and_the_worse_grade_is_never_likelier() -> None:
    found = [with_measured_noise(answer(1, 1), snr) for snr in np.geomspace(3, 70, 12)]
    moderate, severe = ([getattr(one, name)["noise"] for one in found] for name in ("moderate", "severe"))
    assert moderate == sorted(moderate, reverse=True)
    assert severe == sorted(severe, reverse=True)
    assert all(b <= a for a, b in zip(moderate, severe, strict=True))
    assert found[0].moderate["motion"] == answer().moderate["motion"]
