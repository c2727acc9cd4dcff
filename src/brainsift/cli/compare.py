"""The answers of the demo beside the truth that was simulated."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from brainsift.store.table import SPOKEN


@dataclass(frozen=True)
class Compared:
    """One simulated scan: what is true of it and what was answered.

    Attributes
    ----------
    scan : its path in the study.
    truth : row of `truth.tsv`.
    answer : row of `brainsift.tsv`; empty where there is none.
    """

    scan: str
    truth: dict[str, str]
    answer: dict[str, str]

    @property
    def brain_error(self) -> float | None:
        """Brain volume answered against simulated, as a share; None where one of them is missing."""
        try:
            return float(self.answer["brain_ml"]) / float(self.truth["brain_ml"]) - 1
        except (KeyError, ValueError, ZeroDivisionError):
            return None

    def agrees(self, column: str) -> bool:
        """Whether a word of the table is the simulated one."""
        return self.answer.get(column, "").lower() == self.truth[column].lower()


def compare(truth: Path, table: Path) -> list[Compared]:
    """Join the truth of a simulated study with its study table, by scan."""
    answers = {row["scan"]: row for row in _rows(table)}
    rows = [row | {"sequence": SPOKEN.get(row["sequence"], row["sequence"])} for row in _rows(truth)]
    return [Compared(row["scan"], row, answers.get(row["scan"], {})) for row in rows]


def tell_comparison(compared: list[Compared]) -> None:
    """Print the table: true and answered, side by side, with the sum below."""
    from rich.table import Table
    from rich.text import Text

    from brainsift.cli.console import answers

    table = Table(box=None, pad_edge=False, title="Simulated and answered", title_justify="left", title_style="bold")
    for column in ("scan", "simulated as", "sequence", "dimension", "true mL", "brain mL", "true cut", "cut"):
        table.add_column(column, justify="right" if "mL" in column or "cut" in column else "left", overflow="fold")
    for one in compared:
        table.add_row(*(Text(cell) for cell in _cells(one)))
    console = answers()
    console.print(table)
    for line in sums(compared):
        console.print(line, markup=False)


def sums(compared: list[Compared]) -> list[str]:
    """What it comes to, in words, with its n. Simulated scans: no figure of these is a clinical one."""
    whole = [one for one in compared if not one.truth["broken"]]
    errors = sorted(abs(error) for one in whole if (error := one.brain_error) is not None)
    lines = [
        f"{column} as simulated: {sum(one.agrees(column) for one in whole)} of {len(whole)}"
        for column in ("sequence", "dimension")
    ]
    if errors:
        lines.append(f"brain volume off by {100 * errors[len(errors) // 2]:.1f} % (median of {len(errors)})")
    broken = [one for one in compared if one.truth["broken"]]
    if broken:
        told = sum(bool(one.answer.get("reason")) for one in broken)
        lines.append(f"broken on purpose and reported with a reason: {told} of {len(broken)}")
    return lines


def _cells(one: Compared) -> list[str]:
    truth, answer = one.truth, one.answer
    simulated = truth["broken"] or f"{truth['sequence']} {truth['dimension']}"
    volumes = [truth["brain_ml"].partition(".")[0], answer.get("brain_ml", "").partition(".")[0]]
    shares = [_percent(truth["brain_outside_fov"]), _percent(answer.get("brain_outside_fov", ""))]
    return [one.scan, simulated, answer.get("sequence", ""), answer.get("dimension", ""), *volumes, *shares]


def _percent(share: str) -> str:
    return f"{100 * float(share):.0f} %" if share else ""


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))
