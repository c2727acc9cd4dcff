"""Kappa of real raters: ABIDE, three people, 1,101 scans."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from brainsift.evaluate.confusion import confusion
from brainsift.evaluate.measured import kappa_interval

TABLE = Path(__file__).parents[3] / "shared" / "data" / "ratings" / "abide.tsv"
PAIRS = list(combinations(("rater_1", "rater_2", "rater_3"), 2))


def ratings(*raters: str) -> list[tuple[int, ...]]:
    """Ratings of the scans that all of the raters saw."""
    if not TABLE.is_file():
        pytest.skip("the shared test data (../shared/data) are not on this machine")
    with TABLE.open(encoding="utf-8", newline="") as stream:
        rows = [[row[rater] for rater in raters] for row in csv.DictReader(stream, delimiter="\t")]
    return [tuple(int(float(text)) for text in row) for row in rows if "n/a" not in row]


@pytest.mark.parametrize("pair", PAIRS)
def test_agreement_of_real_raters_equals_scikit_learns(pair: tuple[str, str]) -> None:
    first, second = zip(*ratings(*pair), strict=True)
    interval = kappa_interval(confusion(first, second, (-1, 0, 1)))
    assert interval.value == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))
    assert 0.2 < interval.low < interval.value < interval.high < 0.75
    assert interval.n in (99, 600)
