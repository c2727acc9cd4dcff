"""The quality task against people's labels: every question with its metrics and their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brainsift.evaluate.answered import Answered
from brainsift.evaluate.calibration_error import calibration_error_interval
from brainsift.evaluate.confusion import binary_confusion, confusion
from brainsift.evaluate.consensus import GRADES
from brainsift.evaluate.intervals import Interval
from brainsift.evaluate.measured import (
    accuracy_interval,
    balanced_accuracy_interval,
    kappa_interval,
    mcc_interval,
    predictive_values,
    recall_interval,
)
from brainsift.evaluate.questions import Question, machine_grade, questions, true_grade, usable
from brainsift.evaluate.ranking import auc_interval


@dataclass(frozen=True)
class Measured:
    """One figure: of which question, which metric, with its interval; `yes` is the number of scans truly so, where the
    question is of yes or no."""

    question: str
    metric: str
    interval: Interval
    yes: int | None = None
    prevalence: float | None = None


def measure_quality(
    scans: Sequence[Answered], prevalences: Mapping[str, float] | None = None, seed: int = 0
) -> list[Measured]:
    """Every question that the labels can answer.

    Parameters
    ----------
    scans : one for each labelled scan.
    prevalences : question → share that is truly yes where the machine is to be used, for PPV and NPV; the share among
        the labelled scans if not given.
    seed : of the resampling.

    Raises
    ------
    ValueError
        if a prevalence is given for a question that does not exist.
    """
    given = dict(prevalences or {})
    asked = questions()
    if unknown := sorted(set(given) - {question.name for question in asked}):
        raise ValueError(f"Questions are {', '.join(q.name for q in asked)}, got {', '.join(unknown)}")
    figures: list[Measured] = []
    for question in asked:
        figures += measure_question(question, scans, given.get(question.name), seed)
    for grade in (*GRADES, "tier"):
        figures += _agreement(grade, scans, seed)
    return [*figures, *_sequence(scans, seed), *_decided(scans, seed)]


def measure_question(
    question: Question, scans: Sequence[Answered], prevalence: float | None = None, seed: int = 0
) -> list[Measured]:
    """All metrics of one question; none where no label answers it."""
    rows = [(one, truth) for one in scans if (truth := question.truth(one)) is not None]
    if not rows:
        return []
    truths, people = [truth for _, truth in rows], [one.person for one, _ in rows]
    yes = sum(truths)
    share = yes / len(rows) if prevalence is None else prevalence
    table = binary_confusion(truths, [question.guess(one) for one, _ in rows], people)
    likelihoods = [question.likelihood(one) for one, _ in rows]
    ppv, npv = predictive_values(table, share, seed)
    found = {
        "balanced_accuracy": balanced_accuracy_interval(table, seed),
        "sensitivity": recall_interval(table, 1, seed),
        "specificity": recall_interval(table, 0, seed),
        "ppv": ppv,
        "npv": npv,
        "auc": auc_interval(truths, likelihoods, people, seed),
        "mcc": mcc_interval(table, seed),
        "calibration_error": calibration_error_interval(truths, likelihoods, people, seed),
    }
    return [
        Measured(question.name, metric, interval, yes, share if metric in ("ppv", "npv") else None)
        for metric, interval in found.items()
    ]


def _agreement(name: str, scans: Sequence[Answered], seed: int) -> list[Measured]:
    pairs = [(one, true_grade(one, name), machine_grade(one, name)) for one in scans]
    rows = [row for row in pairs if row[1] is not None and row[2] is not None]
    if not rows:
        return []
    classes = (1, 2, 3) if name == "tier" else (0, 1, 2)
    table = confusion([row[1] for row in rows], [row[2] for row in rows], classes, [row[0].person for row in rows])
    return [Measured(name, "weighted_kappa", kappa_interval(table, seed=seed))]


def _sequence(scans: Sequence[Answered], seed: int) -> list[Measured]:
    rows = [(one, one.truth.sequence, one.measurements.get("sequence")) for one in scans]
    rows = [row for row in rows if row[1] is not None and isinstance(row[2], str)]
    if not rows:
        return []
    classes = sorted({str(name) for row in rows for name in row[1:]})
    table = confusion([row[1] for row in rows], [row[2] for row in rows], classes, [row[0].person for row in rows])
    return [
        Measured("sequence", "accuracy", accuracy_interval(table, seed)),
        Measured("sequence", "balanced_accuracy", balanced_accuracy_interval(table, seed)),
    ]


def _decided(scans: Sequence[Answered], seed: int) -> list[Measured]:
    """What became of the scans: the share decided without a person, and errors where usability is known."""
    acted = [one for one in scans if one.action is not None]
    if not acted:
        return []
    people = [one.person for one in acted]
    automatic = binary_confusion([True] * len(acted), [one.action != "refer" for one in acted], people)
    figures = [Measured("decisions", "decided", recall_interval(automatic, 1, seed))]
    for action, metric in (("accept", "wrong_among_accepted"), ("reject", "wrong_among_rejected")):
        rows = [(one, usable(one)) for one in acted if one.action == action]
        known = [(one, good) for one, good in rows if good is not None]
        if known:
            wrong = [good == (action == "reject") for _, good in known]
            table = binary_confusion([True] * len(known), wrong, [one.person for one, _ in known])
            figures.append(Measured("decisions", metric, recall_interval(table, 1, seed)))
    return figures
