"""One number for "this scan is good", from what a finding says."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from brainsift.tasks.base import Finding


@dataclass(frozen=True)
class Part:
    """One thing that must be in order.

    Attributes
    ----------
    name : column of `labels.tsv` that knows the truth.
    probability : name in `Finding.probabilities`.
    of_fault : whether that is the probability of the fault, not of its absence.
    fault : words for the fault.
    """

    name: str
    probability: str
    of_fault: bool
    fault: str


PARTS: MappingProxyType[str, tuple[Part, ...]] = MappingProxyType(
    {
        "quality": (
            Part("proper", "proper", False, "not a proper scan"),
            Part("motion", "motion_severe", True, "severe motion"),
            Part("noise", "noise_severe", True, "severe noise"),
            Part("contrast", "contrast_severe", True, "severe loss of contrast"),
        ),
        "defacing": (Part("defacing", "correct", False, "not de-faced correctly"),),
    }
)
"""Task → all that a good scan must be. A severe fault makes tier 3, which is not used (Bottani 2022)."""


@dataclass(frozen=True)
class Score:
    """Probability that the weakest part is in order, and that part."""

    value: float
    weakest: Part


def score(finding: Finding, parts: Iterable[str] | None = None) -> Score | None:
    """How sure it is that a scan is good: as sure as of its weakest part.

    The product of the parts would punish faults that come together twice; what is left of error, the calibration mends.

    Parameters
    ----------
    finding : of a task in `PARTS`.
    parts : names of the parts that count; all that the finding knows if not given.

    Returns
    -------
    None where a part that was named, or all of them, are missing or no number.
    """
    known = {part.name: part for part in PARTS.get(finding.task, ())}
    wanted = [name for name in known if known[name].probability in finding.probabilities] if parts is None else parts
    found = []
    for name in wanted:
        p = finding.probabilities.get(known[name].probability) if name in known else None
        if p is None or not math.isfinite(p):
            return None
        found.append(Score(1 - p if known[name].of_fault else p, known[name]))
    return min(found, key=lambda one: one.value, default=None)


def faults_outside(finding: Finding, parts: Iterable[str]) -> list[Part]:
    """Parts that `parts` leaves out and in which the scan is more likely bad than good."""
    counted = set(parts)
    others = [part.name for part in PARTS.get(finding.task, ()) if part.name not in counted]
    scores = [one for name in others if (one := score(finding, [name])) is not None]
    return [one.weakest for one in scores if one.value < 0.5]
