"""Scans that a model should not be believed about: they go to a person whatever its probabilities say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeGuard

import numpy as np

from brainsift.tasks.base import Finding

DOUBT_FLAGS: MappingProxyType[str, str] = MappingProxyType(
    {
        "out_of_distribution": "it is unlike what the model was trained on",
        "low_confidence": "the anatomy is uncertain",
        "flip_disagreement": "the answer changes when the scan is mirrored",
        "outside_training_range": "its voxels or image metrics lie outside of what the training saw",
    }
)
"""Flags of a finding that refer it, with what to tell the person."""

MIN_CONFIDENCE = 0.3
"""Of the anatomy or of the answer, as in the integrity task."""

MIN_FOR_LIMITS = 50
"""Findings from which limits of a measurement are taken; with fewer its 5 % tails are one or two scans."""

TAIL = 0.05
MARGIN = 2.0
"""Limits lie two spreads (95 % - 5 %) outside of the tails: eight standard deviations of a normal measurement. They
stop what is of another kind (a scaling fault, another organ), not what is rare."""

METRIC = "metric_"
"""Beginning of measurements that describe the image. Those that are the answer itself, such as `motion_score`, have no
limits: a severe fault is no reason to disbelieve that it is severe."""

Limits = Mapping[str, tuple[float, float]]


def doubts(finding: Finding, limits: Limits | None = None) -> list[str]:
    """Reasons not to believe a finding, in words; none if there are none.

    Parameters
    ----------
    finding : its flags, and its measurements `confidence` (0-1) and `out_of_distribution` (yes or no), are looked at.
    limits : measurement → lowest and highest value that a calibration covers.
    """
    told = [DOUBT_FLAGS[flag] for flag in finding.flags if flag in DOUBT_FLAGS]
    if finding.measurements.get("out_of_distribution") is True:
        told.append(DOUBT_FLAGS["out_of_distribution"])
    confidence = finding.measurements.get("confidence")
    if _is_number(confidence) and not confidence >= MIN_CONFIDENCE:
        told.append(DOUBT_FLAGS["low_confidence"])
    for name, (low, high) in (limits or {}).items():
        value = finding.measurements.get(name)
        if _is_number(value) and not low <= value <= high:
            told.append(f"`{name}` is {value:.4g}, outside {low:.4g} to {high:.4g}")
    return list(dict.fromkeys(told))


def measured_limits(findings: Sequence[Finding]) -> dict[str, tuple[float, float]]:
    """Image metric → limits, of each that varies and that `MIN_FOR_LIMITS` findings hold as a finite number."""
    columns: dict[str, list[float]] = {}
    for finding in findings:
        for name, value in finding.measurements.items():
            if _is_number(value) and math.isfinite(value) and name.startswith(METRIC):
                columns.setdefault(name, []).append(float(value))
    limits = {}
    for name, values in columns.items():
        low, high = np.quantile(values, [TAIL, 1 - TAIL]).tolist()
        if len(values) >= MIN_FOR_LIMITS and high > low:
            limits[name] = (low - MARGIN * (high - low), high + MARGIN * (high - low))
    return limits


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
