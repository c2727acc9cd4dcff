"""Several raters of one scan: what they agree on, and who can be compared with whom."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from brainsift.evaluate.labels import LABEL_COLUMNS, Label

GRADES = ("motion", "noise", "contrast")

WHERE = ("scan", "rater")
"""Columns that say whose word it is, not what is said."""


def consensus(labels: Iterable[Label]) -> dict[str, Label]:
    """One label for each scan, in the order of the scans.

    Grades: the median, and of two middle grades the worse one, because a fault seen by half of the raters is there.
    All else: what more than half of those say who say anything; None where no answer has that.
    """
    by_scan: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        by_scan[label.scan].append(label)
    return {scan: given[0] if len(given) == 1 else _agreed(scan, given) for scan, given in by_scan.items()}


def _agreed(scan: str, given: Sequence[Label]) -> Label:
    said: dict[str, Any] = {"scan": scan}
    for column in LABEL_COLUMNS:
        answers = [value for label in given if (value := getattr(label, column)) is not None]
        if column not in WHERE and answers:
            said[column] = median_grade(answers) if column in GRADES else majority(answers)
    return Label(**said)


def median_grade(grades: Sequence[int]) -> int:
    """Middle grade; of two middle ones the worse (higher)."""
    return sorted(grades)[math.floor(len(grades) / 2)]


def majority(answers: Sequence[Any]) -> Any | None:
    """What more than half say, or None."""
    answer, count = Counter(answers).most_common(1)[0]
    return answer if 2 * count > len(answers) else None


def paired(labels: Iterable[Label], column: str) -> dict[tuple[str, str], list[tuple[Label, Label]]]:
    """Two raters → their labels of the same scans, where both filled in `column`. Unnamed raters are left out."""
    by_rater: dict[str, dict[str, Label]] = defaultdict(dict)
    for label in labels:
        if label.rater is not None and getattr(label, column) is not None:
            by_rater[label.rater][label.scan] = label
    pairs = {}
    for first, second in combinations(sorted(by_rater), 2):
        both = [scan for scan in by_rater[first] if scan in by_rater[second]]
        if both:
            pairs[first, second] = [(by_rater[first][scan], by_rater[second][scan]) for scan in both]
    return pairs
