"""Confusion tables by person: all that the metrics of classes need to know."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainsift.evaluate.intervals import RESAMPLES, Interval, people_of, percentile_interval

Tables = NDArray[np.float64]
"""(..., C, C) counts; rows are the truth, columns the answer."""

Booleans = ArrayLike | Sequence[bool | None]

Metric = Callable[[Tables], NDArray[np.float64]]
"""(..., C, C) counts → (...) values, NaN where the metric is undefined."""


@dataclass(frozen=True)
class Confusion:
    """Truth against answer, one table for each person.

    Attributes
    ----------
    classes : names of rows and columns, in order.
    by_person : (people, C, C) counts.
    """

    classes: tuple[Hashable, ...]
    by_person: Tables

    @property
    def total(self) -> Tables:
        """(C, C) counts over all people."""
        counts: Tables = self.by_person.sum(axis=0)
        return counts

    @property
    def n(self) -> int:
        """Scans."""
        return int(self.by_person.sum())

    @property
    def people(self) -> int:
        """People with a scan."""
        return len(self.by_person)


def confusion(
    truth: Sequence[object],
    answers: Sequence[object],
    classes: Sequence[Hashable],
    groups: Sequence[object] | None = None,
) -> Confusion:
    """Count truth against answers, by person.

    Rows where either is missing (None or NaN) are left out.

    Raises
    ------
    ValueError
        if lengths differ, or a value is none of the classes.
    """
    if len(truth) != len(answers):
        raise ValueError(f"Truth and answers must be of one length, got {len(truth)} and {len(answers)}")
    owners = people_of(groups, len(truth))
    place = {name: number for number, name in enumerate(classes)}
    rows = [i for i, pair in enumerate(zip(truth, answers, strict=True)) if not any(_missing(v) for v in pair)]
    unknown = {value for i in rows for value in (truth[i], answers[i]) if value not in place}
    if unknown:
        raise ValueError(f"Classes are {list(classes)}, got {sorted(map(str, unknown))} as well")
    people, person = np.unique(owners[rows], return_inverse=True)
    size = len(place)
    cells = [place[truth[i]] * size + place[answers[i]] for i in rows]
    flat = person * size**2 + np.asarray(cells, dtype=np.intp)
    counts = np.bincount(flat, minlength=len(people) * size**2).astype(float)
    return Confusion(tuple(classes), counts.reshape(len(people), size, size))


def binary_confusion(truth: Booleans, answers: Booleans, groups: Sequence[object] | None = None) -> Confusion:
    """Confusion of yes and no; the second row and column are yes. Missing values (None, NaN) are left out."""
    return confusion(_booleans(truth), _booleans(answers), (False, True), groups)


def bootstrap_table(table: Confusion, metric: Metric, seed: int = 0, level: float = 0.95) -> Interval:
    """Percentile bootstrap of a metric over people.

    People with the same table are alike, so it is kinds of people that are drawn: 2,000 resamples of 10^5 people cost
    one small matrix product.
    """
    value = float(metric(table.total))
    if table.people < 2:
        return Interval(value, float("nan"), float("nan"), table.n, table.people, "none")
    size = len(table.classes)
    kinds, counts = np.unique(table.by_person.reshape(table.people, -1), axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(table.people, counts / table.people, size=RESAMPLES)
    values = metric((drawn @ kinds).reshape(RESAMPLES, size, size))
    return percentile_interval(value, values, table.n, table.people, level)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _booleans(values: Booleans) -> list[bool | None]:
    return [None if _missing(value) else bool(value) for value in np.asarray(values, dtype=object).tolist()]
