"""How much is decided, and how often wrongly, for every threshold: to look at, not to choose by.

A threshold picked by eye from this curve promises nothing, because the eye has seen the errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainsift.decide.bounds import upper_bound
from brainsift.decide.calibrate import Tested
from brainsift.decide.selective import GRID


@dataclass(frozen=True)
class Point:
    """One threshold, used in both directions, on one scan of each person.

    Attributes
    ----------
    threshold : least probability that a decision is right.
    n : all scans.
    accepted, accepted_wrong, rejected, rejected_wrong : counts.
    bound : what the error rate among the decided may be, one-sided.
    """

    threshold: float
    n: int
    accepted: int
    accepted_wrong: int
    rejected: int
    rejected_wrong: int
    bound: float

    @property
    def coverage(self) -> float:
        """Share that is decided without a person."""
        return (self.accepted + self.rejected) / self.n if self.n else 0.0

    @property
    def error(self) -> float:
        """Share of wrong decisions among the decided; NaN if there are none."""
        decided = self.accepted + self.rejected
        return (self.accepted_wrong + self.rejected_wrong) / decided if decided else float("nan")


def coverage_curve(tested: Tested, delta: float) -> list[Point]:
    """From the strictest threshold to the loosest, those at which the set of decided scans changes."""
    points: list[Point] = []
    for threshold in GRID.tolist():
        accepted = (tested.confidence("accept") >= threshold) & (tested.confidence("reject") < threshold)
        rejected = (tested.confidence("reject") >= threshold) & (tested.confidence("accept") < threshold)
        counts = [accepted, accepted & tested.wrong("accept"), rejected, rejected & tested.wrong("reject")]
        a, a_wrong, r, r_wrong = (int(np.sum(one)) for one in counts)
        if not points or (a, r) != (points[-1].accepted, points[-1].rejected):
            bound = upper_bound(a_wrong + r_wrong, a + r, delta)
            points.append(Point(threshold, tested.good.size, a, a_wrong, r, r_wrong, bound))
    return points


def at_coverages(points: list[Point], shares: tuple[float, ...]) -> list[Point]:
    """For each share the strictest point that decides at least as much; without repetition."""
    found = (next((point for point in points if point.coverage >= share), None) for share in shares)
    return list(dict.fromkeys(point for point in found if point is not None))
