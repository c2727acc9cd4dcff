"""How well people agree with each other, and each of them with the machine: the mark that a machine is measured by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from brainsift.evaluate.confusion import Confusion, confusion
from brainsift.evaluate.consensus import GRADES, paired
from brainsift.evaluate.labels import Label
from brainsift.evaluate.measured import kappa_interval
from brainsift.evaluate.quality import Measured

MACHINE = "machine"


def rater_agreement(
    labels: Iterable[Label], machine: Mapping[str, Mapping[str, int | None]] | None = None, seed: int = 0
) -> list[Measured]:
    """Quadratic-weighted kappa of each grade (0-2) and, unweighted, of `proper` and `gadolinium`, for every two raters.

    Parameters
    ----------
    labels : of named raters.
    machine : scan → column → grade (or 0 and 1), to compare each rater with the machine too.
    seed : of the resampling of people.

    Returns
    -------
    figures whose metric names the two raters: ``kappa x / y``.
    """
    given = list(labels)
    figures = []
    for column in ("proper", "gadolinium", *GRADES):
        classes = (0, 1, 2) if column in GRADES else (0, 1)
        for (first, second), pairs in paired([*given, *_as_labels(given, machine or {}, column)], column).items():
            table = _table(pairs, column, classes)
            kappa = kappa_interval(table, "quadratic" if column in GRADES else "none", seed)
            figures.append(Measured(column, f"kappa {first} / {second}", kappa))
    return figures


def _table(pairs: Iterable[tuple[Label, Label]], column: str, classes: tuple[int, ...]) -> Confusion:
    both = list(pairs)
    first = [int(getattr(one, column)) for one, _ in both]
    second = [int(getattr(other, column)) for _, other in both]
    return confusion(first, second, classes, [one.person for one, _ in both])


def _as_labels(given: list[Label], machine: Mapping[str, Mapping[str, int | None]], column: str) -> list[Label]:
    person = {label.scan: label.participant for label in given}
    named = any(label.rater is not None for label in given)
    return [
        Label.model_validate({"scan": scan, "participant": person[scan], "rater": MACHINE, column: said[column]})
        for scan, said in machine.items()
        if named and scan in person and said.get(column) is not None
    ]
