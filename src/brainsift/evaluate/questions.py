"""The yes-or-no questions of the quality task, as the papers of the clinical data warehouse ask them.

Each is asked so that *yes* is the fault. Grades are compared on proper scans only, because the protocol gives an
improper one no grades (Bottani 2022).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from brainsift.evaluate.answered import Answered
from brainsift.evaluate.consensus import GRADES
from brainsift.evaluate.truth import tier

EVEN_ODDS = 0.5

Truth = Callable[[Answered], bool | None]
Guess = Callable[[Answered], bool | None]
Likelihood = Callable[[Answered], float]


@dataclass(frozen=True)
class Question:
    """A yes-or-no question: what people say, what the machine says, and how sure it is of yes (NaN if it is not)."""

    name: str
    words: str
    truth: Truth
    guess: Guess
    likelihood: Likelihood


def questions() -> list[Question]:
    """All yes-or-no questions of the task, in the order of the reports."""
    asked = [
        Question("improper", "not a proper scan", _improper, _said_improper, lambda one: 1 - one.probability("proper")),
        Question(
            "gadolinium",
            "contrast agent was given",
            lambda one: one.truth.gadolinium,
            lambda one: _at_least(one.probability("gadolinium"), 0.5),
            lambda one: one.probability("gadolinium"),
        ),
    ]
    for grade in GRADES:
        asked += [_severe(grade), _mild(grade)]
    return [*asked, Question("tier_3", "tier 3 against 1-2", _tier_3, _said_tier_3, _worst_severe), _moderate()]


def machine_grade(one: Answered, name: str) -> int | None:
    """Grade, or tier, that the machine gave; None where it gave none.

    A scan that it calls improper shows no grades, but its probabilities still tell them. They count: else a strong
    movement that was taken for an improper scan would be left out of the figures on motion.
    """
    value = one.number(name if name == "tier" else f"{name}_grade")
    if not math.isnan(value):
        return int(value)
    reached = [one.probability(f"{name}_{degree}") for degree in ("moderate", "severe")]
    return None if any(map(math.isnan, reached)) else sum(p > EVEN_ODDS for p in reached)


def true_grade(one: Answered, name: str) -> int | None:
    """Grade, or tier, that people gave a proper scan."""
    if one.truth.proper is False:
        return None
    if name == "tier":
        return tier(one.truth)
    grade: int | None = getattr(one.truth, name)
    return grade


def usable(one: Answered) -> bool | None:
    """Whether people would use the scan: proper, and of tier 1 or 2; from what of it they labelled."""
    if one.truth.proper is False:
        return False
    known = tier(one.truth)
    if known is not None:
        return known < 3
    graded = any(getattr(one.truth, grade) is not None for grade in GRADES)
    return None if graded else one.truth.proper


def _improper(one: Answered) -> bool | None:
    return None if one.truth.proper is None else not one.truth.proper


def _said_improper(one: Answered) -> bool | None:
    return one.label == "improper"


def _severe(grade: str) -> Question:
    def truth(one: Answered) -> bool | None:
        known = true_grade(one, grade)
        return None if known is None else known == 2

    def guess(one: Answered) -> bool | None:
        said = machine_grade(one, grade)
        return None if said is None else said == 2

    return Question(
        f"{grade}_severe", f"{grade}: 2 against 0-1", truth, guess, lambda one: one.probability(f"{grade}_severe")
    )


def _mild(grade: str) -> Question:
    def truth(one: Answered) -> bool | None:
        known = true_grade(one, grade)
        return None if known is None or known == 2 else known == 1

    def guess(one: Answered) -> bool | None:
        said = machine_grade(one, grade)
        return None if said is None else said >= 1

    return Question(
        f"{grade}_mild", f"{grade}: 1 against 0", truth, guess, lambda one: one.probability(f"{grade}_moderate")
    )


def _tier_3(one: Answered) -> bool | None:
    known = true_grade(one, "tier")
    return None if known is None else known == 3


def _said_tier_3(one: Answered) -> bool | None:
    """A proper scan that the machine calls improper gets no tier from it and is as lost as one of tier 3."""
    said = machine_grade(one, "tier")
    return one.label == "improper" if said is None else said == 3


def _worst_severe(one: Answered) -> float:
    return _worst(one.probability(f"{grade}_severe") for grade in GRADES)


def _moderate() -> Question:
    def truth(one: Answered) -> bool | None:
        known = true_grade(one, "tier")
        return None if known is None or known == 3 else known == 2

    def guess(one: Answered) -> bool | None:
        said = machine_grade(one, "tier")
        return one.label == "improper" if said is None else said >= 2

    return Question(
        "tier_2",
        "tier 2 against 1",
        truth,
        guess,
        lambda one: _worst(one.probability(f"{grade}_moderate") for grade in GRADES),
    )


def _worst(probabilities: Iterable[float]) -> float:
    known = [p for p in probabilities if not math.isnan(p)]
    return max(known, default=math.nan)


def _at_least(probability: float, threshold: float) -> bool | None:
    return None if math.isnan(probability) else probability >= threshold
