"""White-matter hyperintensities over a study: how much, by site, and how the grades fall."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass

import numpy as np

from brainsift.report.wmh_words import GRADES, REGIONS, UNKNOWN_SITE
from brainsift.report.words import number
from brainsift.store.record import Record

SMALL_ML = 0.1
"""Below this a scan counts as next to free of lesions: a row of `sites` tells how many are."""


@dataclass(frozen=True)
class SiteRow:
    """Scans of one site: how many, how many next to free, median, quartiles and largest in mL, per cent referred."""

    site: str
    n: int
    free: int
    median: str
    quartiles: str
    largest: str
    referred: str


class WmhStudy:
    """What the study page needs of all findings of task `wmh`."""

    def __init__(self) -> None:
        self._volumes: dict[str, array[float]] = {}
        self._referred: Counter[str] = Counter()
        self._grades: dict[str, Counter[int]] = {place: Counter() for place in GRADES}

    def add(self, record: Record) -> None:
        """Take in one record, if its lesions were measured."""
        finding, decision = record.finding("wmh"), record.decision("wmh")
        volume = finding.measurements.get("volume_ml") if finding is not None else None
        if finding is None or not isinstance(volume, int | float):
            return
        site = record.site or UNKNOWN_SITE
        self._volumes.setdefault(site, array("d")).append(float(volume))
        self._referred[site] += decision is not None and decision.action.value == "refer"
        for place, counts in self._grades.items():
            grade = finding.measurements.get(f"fazekas_{place}_derived")
            if isinstance(grade, int):
                counts[grade] += 1

    def sites(self) -> list[SiteRow]:
        """One row for each site, largest first, and one for all where there are several."""
        ordered = sorted(self._volumes, key=lambda site: (-len(self._volumes[site]), site))
        rows = [_row(site, np.asarray(self._volumes[site]), self._referred[site]) for site in ordered]
        if len(rows) > 1:
            together = np.concatenate([np.asarray(values) for values in self._volumes.values()])
            rows.insert(0, _row("all", together, self._referred.total()))
        return rows

    def grades(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """Place → how many scans have each grade, in words."""
        return [
            (REGIONS[place][0], [(f"{grade}: {words}", counts[grade]) for grade, words in enumerate(GRADES[place])])
            for place, counts in self._grades.items()
            if counts
        ]


def _row(site: str, volumes: np.ndarray, referred: int) -> SiteRow:
    low, middle, high = (number(float(q)) for q in np.percentile(volumes, (25, 50, 75)))
    return SiteRow(
        site,
        len(volumes),
        int((volumes < SMALL_ML).sum()),
        middle,
        f"{low} to {high}",
        number(float(volumes.max())),
        f"{100 * referred / len(volumes):.0f}",
    )
