"""What the evaluations of masks and of marks share: what was compared, whose scans, and the table of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from brainsift.evaluate.labels import Label
    from brainsift.evaluate.segmentation.group import GroupFigure

R = TypeVar("R")


@dataclass(frozen=True)
class Compared(Generic[R]):
    """All that could be compared, and scan → why not; `seen` rows were left out because a model was fitted on them."""

    rows: list[R] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    seen: int = 0


def person_of(label: Label) -> str:
    """The participant of the labels, else of the scan's BIDS name, else the scan is its own person."""
    from brainsift.scans.names import entities

    *folders, name = label.scan.split("/")
    return label.participant or entities(tuple(folders), name.split(".")[0]).participant or label.person


def figure_lines(figures: Sequence[GroupFigure]) -> list[str]:
    """Lines of the table of a group's figures."""
    lines = ["scans\tmetric\tstatistic\tvalue\tlow\thigh\tn\tpeople\tinterval"]
    for figure in figures:
        one = figure.interval
        values = (number(one.value), number(one.low), number(one.high), str(one.n), str(one.groups), one.method)
        lines.append("\t".join((figure.scans, figure.metric, figure.statistic, *values)))
    return lines


def number(value: float) -> str:
    """A cell of a table; empty where there is no number."""
    return "" if value != value else f"{value:.6g}"
