"""What the image metrics of task `quality` are called, what they say, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "metric_"
"""Of the measurements that are image metrics."""

FAULTS = {"motion": "Motion", "noise": "Noise", "contrast": "Loss of contrast"}
"""Graded artefact → its name."""

DEGREES = ("none", "moderate", "severe")
"""Of grades 0, 1, 2."""

WORST_GRADE = len(DEGREES) - 1

TIERS = {1: "good", 2: "moderate", 3: "bad"}

TIER_RULE = (
    "Tier = 1 + the largest of the grades of motion, noise and contrast: 1 good, 2 moderate, 3 bad. "
    "A scan that is not proper gets no tier."
)

UNLIKE = {
    "out_of_distribution": "Unlike what the network learnt from",
    "low_confidence": "Doubtful anatomy",
    "outside_training_range": "Outside of what training and other scans show",
}
"""Flag of the finding, and measurement that says why → words. Such a scan goes to a person."""

WORST_SLICES = "worst_slices"
"""Name of the picture among the evidence of the finding."""


@dataclass(frozen=True)
class Metric:
    """One image metric.

    Attributes
    ----------
    title : as in the literature.
    says : one sentence for a person who does not know it.
    better : ``high``, ``low``, or empty where neither end is good.
    fault : the artefact that it tells most about; its grade groups the scans of a study.
    """

    title: str
    says: str
    better: str
    fault: str


METRICS: dict[str, Metric] = {
    "cjv": Metric("CJV", "Spread of white and grey matter over their distance.", "low", "contrast"),
    "cnr": Metric("CNR", "Distance of white and grey matter over the noise.", "high", "contrast"),
    "snr_total": Metric("SNR", "Brightness over spread inside the tissues, mean of three.", "high", "noise"),
    "snrd_total": Metric("SNR, Dietrich", "Brightness of the tissues over the noise in air.", "high", "noise"),
    "summary_bg_stdv": Metric("Noise in air", "Standard deviation in air, white matter being 1000.", "low", "noise"),
    "efc": Metric("EFC", "How evenly energy is spread: ghosts and blur raise it.", "low", "motion"),
    "fber": Metric("FBER", "Energy of the head over that of the air.", "high", "motion"),
    "qi_1": Metric("QI1", "Share of air that is brighter than noise can be.", "low", "motion"),
    "summary_bg_k": Metric("Kurtosis of air", "Heavy tails in air: ghosts and spikes.", "low", "motion"),
    "fwhm_avg": Metric("FWHM", "Smoothness of the brain, in voxels.", "", "motion"),
    "inu_range": Metric("INU range", "How much brightness drifts over the brain.", "low", "contrast"),
    "wm2max": Metric("WM2MAX", "White matter over the brightest voxels.", "", "contrast"),
}
"""The metrics that are shown with their place in the study, without the prefix; all others are listed below them.
Names are MRIQC's (docs/quality_metrics.md)."""
