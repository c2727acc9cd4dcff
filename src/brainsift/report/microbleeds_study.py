"""Microbleeds over a study: how many scans have how many, and where, by site."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from brainsift.report.microbleeds_scan import GROUPS
from brainsift.report.wmh_words import UNKNOWN_SITE
from brainsift.store.record import Record

BINS = ("0", "1 to 4", "5 to 9", "10 and more")
"""Of a scan's count, as the task writes them."""


@dataclass(frozen=True)
class BleedRow:
    """One site: scans, how many of them in each bin, bleeds by region, possible ones, per cent referred."""

    site: str
    n: int
    bins: list[int]
    regions: list[int]
    possible: int
    referred: str


@dataclass
class _Sums:
    n: int = 0
    referred: int = 0
    possible: int = 0
    bins: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)


class MicrobleedStudy:
    """What the study page needs of all findings of task `microbleeds`."""

    def __init__(self) -> None:
        self._sites: dict[str, _Sums] = {}

    def add(self, record: Record) -> None:
        """Take in one record, if its bleeds were counted."""
        finding, decision = record.finding("microbleeds"), record.decision("microbleeds")
        if finding is None or not isinstance(finding.measurements.get("count"), int):
            return
        measured = finding.measurements
        sums = self._sites.setdefault(record.site or UNKNOWN_SITE, _Sums())
        sums.n += 1
        sums.referred += decision is not None and decision.action.value == "refer"
        sums.possible += _whole(measured.get("possible_count"))
        sums.bins[str(measured.get("count_bin"))] += 1
        for group in GROUPS:
            sums.regions[group] += _whole(measured.get(f"{group}_count"))

    def sites(self) -> list[BleedRow]:
        """One row for each site, largest first, and one for all where there are several."""
        ordered = sorted(self._sites.items(), key=lambda item: (-item[1].n, item[0]))
        rows = [_row(site, sums) for site, sums in ordered]
        if len(rows) > 1:
            together = _Sums()
            for sums in self._sites.values():
                together.n += sums.n
                together.referred += sums.referred
                together.possible += sums.possible
                together.bins += sums.bins
                together.regions += sums.regions
            rows.insert(0, _row("all", together))
        return rows


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _row(site: str, sums: _Sums) -> BleedRow:
    return BleedRow(
        site,
        sums.n,
        [sums.bins[name] for name in BINS],
        [sums.regions[group] for group in GROUPS],
        sums.possible,
        f"{100 * sums.referred / sums.n:.0f}",
    )
