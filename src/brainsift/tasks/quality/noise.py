"""Noise, by what the network sees and by what is measured.

Noise is a number: the brain's mean over the standard deviation of its finest detail (Donoho 1995, IEEE Trans Inf Theory
41:613), which native voxels of white matter tell better than slices of 1 mm. Log-odds of both are added. Ripples of
movement look like noise to the measure, so that where the network sees movement the measure can clear a scan of noise
and hardly charge it. Stripes of spikes count as noise too and leave the measure as it is, so that the measure is bound.
"""

from __future__ import annotations

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.scans.conform import labels_to_input
from brainsift.scans.noise import noise_sd
from brainsift.scans.volume import Volume
from brainsift.tasks.quality.contrast import MIN_CONFIDENCE
from brainsift.tasks.quality.metrics_places import neighbours, thinned
from brainsift.tasks.quality.metrics_sharpness import native_box
from brainsift.tasks.quality.network import Answer, log_odds, sigmoid

LIMITS = (15.0, 7.0)
"""SNR of the brain below which noise is moderate, and severe (docs/simulate.md)."""

NETWORK, MEASURE, SCALE = 1.0, 11.7, 0.96
"""Times the network's log-odds; log-odds for each e-fold of SNR below the limit; times the limit. Fitted on simulated
heads (`benchmarks/bench_noise.py`)."""

STILL = 2
"""Power of the probability of a still scan that multiplies what the measure charges."""

LARGEST = 80.0
"""SNR above which the finest detail was averaged away, by interpolation or smoothing, and says nothing of noise: scans
of 1 mm have 20 to 50."""

MOST = 4.0
"""Log-odds that the measure may say: stripes need no more than a network that is sure."""

BRAIN, WHITE = 1, 3
"""Codes of places: in the brain, and in white matter away from its border."""


def measured_snr(volume: Volume, anatomy: Anatomy | None) -> float | None:
    """Mean of the brain over the standard deviation of its noise, of native voxels; 0.1 s.

    None where the anatomy cannot be trusted, values are no magnitudes, or white matter has no inside.
    """
    if anatomy is None or anatomy.confidence < MIN_CONFIDENCE:
        return None
    box = native_box(volume, anatomy)
    if box is None:
        return None
    part = thinned(volume, box, (1, 1, 1))
    white = anatomy.labels == Tissue.WHITE
    places = np.where(white & (neighbours(white) == 6), WHITE, anatomy.brain * BRAIN).astype(np.uint8)
    codes = labels_to_input(places, anatomy.affine, part)
    level = float(part.data[codes >= BRAIN].mean()) if codes.any() else 0.0
    if level <= 0:
        return None
    try:
        sd = noise_sd(part.data, codes == WHITE)
    except ValueError:
        return None
    return level / sd if sd > 0 else None


def with_measured_noise(answer: Answer, snr: float | None) -> Answer:
    """The answer with the grade of noise by both; as it is where nothing, or nothing that says much, was measured."""
    if snr is None or snr > LARGEST:
        return answer
    seen = (answer.moderate["noise"], answer.severe["noise"])
    still = (1 - answer.moderate["motion"]) ** STILL
    moderate, severe = (_joint(limit, p, snr, still) for limit, p in zip(LIMITS, seen, strict=True))
    return answer.with_grade("noise", moderate, severe)


def _joint(limit: float, probability: float, snr: float, still: float) -> float:
    measured = MEASURE * float(np.log(SCALE * limit / snr))
    said = min(max(measured * still if measured > 0 else measured, -MOST), MOST)
    return float(sigmoid(np.asarray(NETWORK * log_odds(probability) + said)))
