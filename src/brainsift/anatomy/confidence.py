"""How far the labels can be trusted: is the network sure, are the volumes those of a brain, do they sit like a
brain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.coverage import Coverage
from brainsift.anatomy.mni import MniFit
from brainsift.anatomy.mni_reference import MniReference
from brainsift.anatomy.moments import TissueCloud

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

CERTAINTY_RANGE = (0.5, 0.85)
"""Mean highest probability inside the brain that counts as 0 and as 1."""

RESIDUAL_RANGE_MM = (3.0, 12.0)
"""Residual of the fit that counts as 1 and as 0: validation maps, also cut ones, stay under 3 mm; shuffled labels are
above 12 mm."""

VOLUME_SLACK_SD = 2.5
"""Standard deviations of the (young to old adult) training heads within which a class share is plain; beyond,
plausibility falls."""

MIN_LOG_SD = 0.25
"""Floor of a class share's spread (28 %): children and atrophied brains differ more than sixteen training heads do."""

BRAIN_RANGE_ML = (500.0, 2000.0)
"""Volume of a complete brain: a toddler's to the largest adult's."""

MIN_BRAIN_ML = 20.0
MIN_CONFIDENCE = 0.2
"""Below either, the scan is taken to hold no brain that could be judged."""


@dataclass(frozen=True)
class Trust:
    """The parts of the confidence, each in [0, 1].

    Attributes
    ----------
    certainty : of the network inside the brain.
    shares : plausibility of the class volumes relative to each other.
    size : plausibility of the whole brain's volume.
    position : goodness of the fit to the average brain.
    """

    certainty: float
    shares: float
    size: float
    position: float

    @property
    def confidence(self) -> float:
        """Geometric mean, drawn down by the weakest part."""
        parts = np.array([self.certainty, self.shares, self.size, self.position])
        return float(np.sqrt(parts.min() * np.exp(np.mean(np.log(parts + 1e-9)))))


def assess_trust(
    certainty: float,
    cloud: TissueCloud,
    fit: MniFit | None,
    seen: TissueCloud | None,
    coverage: Coverage,
    reference: MniReference,
) -> Trust:
    """Judge labels from what they add up to.

    Parameters
    ----------
    certainty : mean over the brain of the highest class probability.
    cloud : brain voxels, scan mm.
    fit : to MNI152, or ``None`` where it failed.
    seen : what of the average brain the field of view could see; ``None`` without a fit.
    coverage : from `estimate_coverage`.
    reference : the average brain.
    """
    brain_ml = float(cloud.mass.sum()) / 1000.0
    complete_ml = brain_ml / max(1.0 - coverage.outside_fov, 0.05)
    expected = seen.class_mass() if seen is not None else np.exp(reference.log_volume_mean)
    return Trust(
        certainty=_ramp(certainty, *CERTAINTY_RANGE),
        shares=_share_plausibility(cloud.class_mass(), expected, reference),
        size=_size_plausibility(complete_ml),
        position=0.3 if fit is None else 1.0 - _ramp(fit.residual_mm, *RESIDUAL_RANGE_MM),
    )


def mean_certainty(posterior: Float32, brain: NDArray[np.bool_]) -> float:
    """Mean of the highest probability over the brain; 0 where there is none."""
    if not brain.any():
        return 0.0
    return float(posterior[:, brain].max(axis=0).mean())


def brain_found(brain_ml: float, confidence: float) -> bool:
    """The decision behind `Anatomy.has_brain`."""
    return brain_ml >= MIN_BRAIN_ML and confidence >= MIN_CONFIDENCE


def _ramp(value: float, zero: float, one: float) -> float:
    return float(np.clip((value - zero) / (one - zero), 0.0, 1.0))


def _share_plausibility(mass: Float64, expected: Float64, reference: MniReference) -> float:
    """Mean over classes, weighted by the square root of their expected volume, of how plain each share is."""
    if mass.sum() <= 0 or expected.sum() <= 0:
        return 0.0
    shares, expected_shares = mass / mass.sum(), expected / expected.sum()
    log_ratio = np.log((shares + 1e-3) / (expected_shares + 1e-3))
    excess = np.maximum(np.abs(log_ratio) / np.maximum(reference.log_volume_sd, MIN_LOG_SD) - VOLUME_SLACK_SD, 0.0)
    weights = np.sqrt(expected_shares)
    return float(np.average(np.exp(-0.5 * excess**2), weights=weights))


def _size_plausibility(complete_ml: float) -> float:
    low, high = BRAIN_RANGE_ML
    beyond = max(np.log(low / max(complete_ml, 1e-3)), np.log(max(complete_ml, 1e-3) / high), 0.0)
    return float(np.exp(-0.5 * (beyond / 0.25) ** 2))
