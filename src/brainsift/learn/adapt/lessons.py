"""What is learnt from what: each part of the adaptation can be left out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

Semi = Literal["none", "consistency", "pseudo", "both"]
"""What is done with scans without labels besides aligning the domains: two views of a scan shall be answered alike,
answers that are sure enough become labels, or both."""

RAMP = 0.4
"""Share of the training after which the semi-supervised terms have their full weight: early answers are no teachers
(Laine 2017, ICLR)."""


@dataclass(frozen=True)
class Lessons:
    """Switches and weights of the terms; those of the quality loss are 1.

    Attributes
    ----------
    two_heads : a head for each domain (Loizillon 2025, Medical Image Analysis 103:103617), because the shares of the
        classes differ between domains; else one head answers for both.
    domain : weight of the domain classifier's loss; 0 for no alignment.
    semi : what else unlabelled scans are used for.
    consistency, pseudo : weights of those terms.
    confidence : calibrated probability from which an answer becomes a label.
    """

    two_heads: bool = True
    domain: float = 1.0
    semi: Semi = "none"
    consistency: float = 4.0
    pseudo: float = 1.0
    confidence: float = 0.95

    @property
    def consistent(self) -> bool:
        """Whether two views of an unlabelled scan are compared."""
        return self.semi in ("consistency", "both")

    @property
    def labels_itself(self) -> bool:
        """Whether sure answers become labels."""
        return self.semi in ("pseudo", "both")


@dataclass
class Pace:
    """How far the training is, told to network and loss before each step.

    Attributes
    ----------
    progress : share of the whole training, 0 to 1, by steps or minutes, whichever is farther.
    temperature : by which log odds of target answers are divided to be as sure as they are right.
    """

    progress: float = 0.0
    temperature: float = field(default=2.0)

    @property
    def ramp(self) -> float:
        """Weight of the semi-supervised terms, 0 to 1: exp(-5 (1 - t)^2), t the share of `RAMP` that is done."""
        return math.exp(-5.0 * (1.0 - min(1.0, self.progress / RAMP)) ** 2)
