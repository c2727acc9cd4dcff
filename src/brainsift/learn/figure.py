"""A measured figure of a model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brainsift.evaluate.intervals import Interval


@dataclass(frozen=True)
class Figure:
    """One measured figure: of what, on which scans, which statistic."""

    question: str
    scans: str
    statistic: str
    value: Interval


def figure_table(measured: Sequence[Figure]) -> list[str]:
    """Lines of a markdown table."""
    lines = ["| question | scans | statistic | value | n (people) |", "|---|---|---|---|---|"]
    for f in measured:
        lines.append(f"| {f.question} | {f.scans} | {f.statistic} | {f.value} | {f.value.n} ({f.value.groups}) |")
    return lines
