"""The two questions of the papers, asked of the target domain: straight reject, and tier 3 against 1-2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.confusion import binary_confusion
from brainsift.evaluate.intervals import Interval
from brainsift.evaluate.measured import balanced_accuracy_interval
from brainsift.learn.figure import Figure
from brainsift.learn.quality.bank import Bank
from brainsift.learn.quality.truth import COLUMNS
from brainsift.tasks.quality.network import EVEN_ODDS, GRADED, Answer

Float32 = NDArray[np.float32]

STRAIGHT_REJECT, BAD_QUALITY = "straight reject", "tier 3 against 1-2"

WORST_TIER, SEVERE = 3, 1.5
"""And the continuous grade from which a fault is severe."""


@dataclass(frozen=True)
class Asked:
    """One question: rows of the bank that it is asked of, truth and answer of each, (n,)."""

    question: str
    rows: tuple[int, ...]
    truth: tuple[bool, ...]
    said: tuple[bool, ...]

    def balanced_accuracy(self, people: tuple[str, ...]) -> Interval:
        """With people resampled; `people` are those of the whole bank."""
        owners = [people[row] for row in self.rows]
        return balanced_accuracy_interval(binary_confusion(self.truth, self.said, owners))


def ask_both(answers: list[Answer], truth: Float32) -> list[Asked]:
    """Both questions, each where the truth is known; fewer where all of it is one class.

    A proper scan that is called improper is as lost as one of tier 3 and counts as such (as in `brainsift evaluate`).

    Parameters
    ----------
    answers : (N,), in the order of `truth`.
    truth : rows (N, 6) of `COLUMNS`.
    """
    proper = truth[:, COLUMNS.index("proper")]
    known = np.flatnonzero(np.isfinite(proper)).tolist()
    asked = [
        Asked(
            STRAIGHT_REJECT,
            tuple(known),
            tuple(bool(proper[i] < EVEN_ODDS) for i in known),
            tuple(answers[i].proper <= EVEN_ODDS for i in known),
        )
    ]
    bad = severe(truth)
    rows = np.flatnonzero(np.isfinite(bad)).tolist()
    said = tuple(answers[i].proper <= EVEN_ODDS or answers[i].tier() == WORST_TIER for i in rows)
    asked.append(Asked(BAD_QUALITY, tuple(rows), tuple(bool(bad[i]) for i in rows), said))
    return [one for one in asked if len(set(one.truth)) > 1]


def worst_grade(truth: Float32) -> NDArray[np.float64]:
    """(N,) the largest of the three grades, NaN for scans that are not proper or whose grades are not known."""
    grades = truth[:, [COLUMNS.index(name) for name in GRADED]].astype(np.float64)
    graded = np.isfinite(grades).any(axis=1) & (truth[:, COLUMNS.index("proper")] != 0)
    return np.where(graded, np.where(np.isfinite(grades), grades, -1.0).max(axis=1), np.nan)


def severe(truth: Float32) -> NDArray[np.float64]:
    """(N,) 1 for tier 3, 0 for tier 1 or 2, NaN where `worst_grade` is not known."""
    worst = worst_grade(truth)
    return np.where(np.isfinite(worst), (worst >= SEVERE).astype(float), np.nan)


def target_figures(answers: list[Answer], bank: Bank, scans: str) -> list[Figure]:
    """Balanced accuracy of both questions, for the card."""
    return [
        Figure(asked.question, scans, "balanced accuracy", asked.balanced_accuracy(bank.people))
        for asked in ask_both(answers, bank.truth)
    ]
