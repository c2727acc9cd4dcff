"""One scan, answered for by people and by the machine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from brainsift.evaluate.labels import Label


@dataclass(frozen=True)
class Answered:
    """What people agree on and what the machine said, as plain values.

    Attributes
    ----------
    truth : the raters' consensus.
    person : whose scan it is.
    label : the machine's label.
    probabilities, measurements : of its finding.
    action : ``accept``, ``reject``, ``refer``, or None where nothing was decided.
    """

    truth: Label
    person: str
    label: str
    probabilities: Mapping[str, float] = field(default_factory=dict)
    measurements: Mapping[str, object] = field(default_factory=dict)
    action: str | None = None

    def probability(self, name: str) -> float:
        """A probability, NaN where it is missing."""
        return self.probabilities.get(name, math.nan)

    def number(self, name: str) -> float:
        """A measurement as a number, NaN where it is none."""
        value = self.measurements.get(name)
        return float(value) if isinstance(value, int | float) else math.nan
