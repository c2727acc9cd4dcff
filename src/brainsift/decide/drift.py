"""An alarm when new scans no longer score like those that a calibration was made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.01
"""Chance that the alarm ever rings although nothing changed: one study in a hundred."""

BATCH = 100
"""Scans between two looks. Against 200 labelled scans one look sees a shift by a standard deviation always, and half of
one in seven of ten cases (300 simulated each)."""


@dataclass(frozen=True)
class Look:
    """One comparison: number of the look, scans compared, largest distance of the two distributions, its p value and
    the limit below which the alarm rings."""

    number: int
    n: int
    distance: float
    p: float
    limit: float

    @property
    def alarm(self) -> bool:
        """Whether new scans differ from the calibration by more than chance allows."""
        return self.p < self.limit


@dataclass
class DriftAlarm:
    """Watch scores in batches by the Kolmogorov-Smirnov distance to the reference.

    The k-th look may spend `LEVEL` / (k (k + 1)) of the false alarms; these sum to `LEVEL`, so that one may look for
    ever. It says that the scans changed, not that the decisions got worse: label a random sample and calibrate again.

    Parameters
    ----------
    reference : scores of the calibration's scans, one of each person.
    level : chance of ever ringing without reason.
    batch : new scans for each look.
    """

    reference: Sequence[float]
    level: float = LEVEL
    batch: int = BATCH
    looks: list[Look] = field(default_factory=list)
    _waiting: list[float] = field(default_factory=list)

    def add(self, scores: ArrayLike) -> list[Look]:
        """Take in scores of new people (one scan of each) and return the looks that they made possible.

        Raises
        ------
        ValueError
            if the reference is empty.
        """
        if not len(self.reference):
            raise ValueError("A drift alarm needs the scores of the calibration, got none")
        values = np.asarray(scores, float).ravel()
        self._waiting += values[np.isfinite(values)].tolist()
        made = []
        while len(self._waiting) >= self.batch:
            batch, self._waiting = self._waiting[: self.batch], self._waiting[self.batch :]
            made.append(self._look(np.asarray(batch)))
        return made

    @property
    def alarm(self) -> bool:
        """Whether any look rang."""
        return any(look.alarm for look in self.looks)

    def _look(self, batch: NDArray[np.float64]) -> Look:
        from scipy.stats import ks_2samp

        number = len(self.looks) + 1
        result = ks_2samp(np.asarray(self.reference, float), batch)
        limit = self.level / (number * (number + 1))
        look = Look(number, batch.size, float(result.statistic), float(result.pvalue), limit)
        self.looks.append(look)
        return look
