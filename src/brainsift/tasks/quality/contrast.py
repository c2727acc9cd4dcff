"""Loss of contrast, by what the network sees and by what is measured.

Contrast is a number that tissue labels give: the difference of grey and white matter over their mean. The network
knows no labels; on T1w it ranks scans less well by it than the measure does, and on real FLAIR scans it errs. Log-odds
of both are added. What a measure must reach for a grade is the rule by which simulated scans are graded; how much each
side weighs was fitted on simulated heads (`benchmarks/bench_contrast.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.tasks.quality.flair import FLAIR
from brainsift.tasks.quality.network import Answer, log_odds, sigmoid

Metrics = Mapping[str, object]

MIN_CONFIDENCE = 0.3
"""Of the anatomy; below, its tissues tell nothing."""

GREY, WHITE, FLUID = "summary_gm_median", "summary_wm_median", "summary_csf_median"
"""Metrics, free of the coil's field and of what mixes with other tissue."""

LEAST = 0.01
"""Of relative contrast; less is noise."""

FLUID_LIMITS = (0.6, 1.0)
"""Fluid over white matter from which a FLAIR is moderate, and severe (docs/simulate.md)."""


@dataclass(frozen=True)
class Weights:
    """How log-odds of a grade are made, for one sequence.

    Attributes
    ----------
    limits : relative contrast below which the loss is moderate, and severe (docs/simulate.md).
    network : times the network's log-odds.
    contrast : log-odds for each e-fold of relative contrast below the limit, which is multiplied by `scale` first.
    fluid : log-odds per unit of fluid over white matter above its limit, which is multiplied by `fluid_scale`; 0 where
        fluid is no question. Of contrast and fluid the worse counts.
    """

    limits: tuple[float, float]
    network: float
    contrast: float
    scale: float
    fluid: float = 0.0
    fluid_scale: float = 1.0


WEIGHTS = MappingProxyType(
    {
        "T1w": Weights((0.20, 0.10), 0.215, 9.35, 1.06),
        "T2w": Weights((0.12, 0.06), 0.215, 9.35, 1.06),
        "T2starw": Weights((0.07, 0.035), 0.215, 9.35, 1.06),
        FLAIR: Weights((0.10, 0.05), 0.690, 1.80, 0.625, 9.01, 1.02),
    }
)
"""Sequences whose contrast is measured; T2w and gradient echo, of which too few lost contrast to fit them, as T1w. Not
PDw, whose tissues the anatomy pass does not tell apart well enough."""


def measured_contrast(metrics: Metrics, anatomy: Anatomy | None) -> float | None:
    """Difference of grey and white matter over their mean, 0 or more; None where the tissues cannot be trusted."""
    grey, white = _level(metrics, GREY, anatomy), _level(metrics, WHITE, anatomy)
    if grey is None or white is None or grey + white <= 0:
        return None
    return abs(white - grey) / ((white + grey) / 2)


def measured_fluid(metrics: Metrics, anatomy: Anatomy | None) -> float | None:
    """Fluid over white matter; None where the tissues cannot be trusted."""
    fluid, white = _level(metrics, FLUID, anatomy), _level(metrics, WHITE, anatomy)
    return None if fluid is None or white is None or white <= 0 else fluid / white


def _level(metrics: Metrics, name: str, anatomy: Anatomy | None) -> float | None:
    found = metrics.get(name)
    trusted = anatomy is not None and anatomy.confidence >= MIN_CONFIDENCE
    return float(found) if trusted and isinstance(found, int | float) else None


def with_measured_contrast(answer: Answer, metrics: Metrics, anatomy: Anatomy | None, sequence: str) -> Answer:
    """The answer with the grade of contrast by both; as it is where nothing can be measured.

    Parameters
    ----------
    sequence : suffix that the scan is filed as, or looks like.
    """
    contrast, weights = measured_contrast(metrics, anatomy), WEIGHTS.get(sequence)
    if contrast is None or weights is None:
        return answer
    fluid = measured_fluid(metrics, anatomy)
    seen = (answer.moderate["contrast"], answer.severe["contrast"])
    moderate, severe = (_joint(weights, grade, p, contrast, fluid) for grade, p in enumerate(seen))
    return answer.with_grade("contrast", moderate, severe)


def _joint(weights: Weights, grade: int, probability: float, contrast: float, fluid: float | None) -> float:
    measured = weights.contrast * float(np.log(weights.scale * weights.limits[grade] / max(contrast, LEAST)))
    if weights.fluid and fluid is not None:
        measured = max(measured, weights.fluid * (fluid - weights.fluid_scale * FLUID_LIMITS[grade]))
    odds = weights.network * log_odds(probability) + measured
    return float(sigmoid(np.asarray(odds)))
