"""What `brainsift calibrate` says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from brainsift.cli.labelled import Study
    from brainsift.decide.calibrate import Promise, Tested
    from brainsift.decide.stored import Calibration

SHOWN_COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Rows of the printed table; the file holds every point."""

ALPHAS = (0.01, 0.02, 0.05, 0.10)
"""Promises whose price in labels is told."""


def tell_price(promise: Promise) -> None:
    """What labels buy, before anybody starts to label."""
    from rich.table import Table

    from brainsift.cli.console import answers
    from brainsift.decide.bounds import labels_needed

    table = Table(box=None, pad_edge=False, title="Decided people that a promise takes", title_justify="left")
    for column in ("error at most", "none wrong", "1 wrong", "2 wrong"):
        table.add_column(column, justify="right")
    for alpha in sorted({*ALPHAS, promise.accept, promise.reject}):
        table.add_row(f"{alpha:.1%}", *(str(labels_needed(alpha, promise.delta, errors)) for errors in range(3)))
    console = answers()
    console.print(table)
    console.print(
        f"With confidence {1 - promise.delta:.0%}, for accepting and for rejecting each. Only scans that are decided "
        "count, so label more.",
        markup=False,
    )


def tell_reach(task: str, output: Path, promise: Promise) -> None:
    """How many scans to draw for labelling, from the scores of this study."""
    from brainsift.cli.console import answers
    from brainsift.cli.labelled import read_findings
    from brainsift.decide.bounds import labels_needed
    from brainsift.decide.provisional import PROVISIONAL
    from brainsift.decide.scores import score

    scores = [one.value for finding, _ in read_findings(task, output).values() if (one := score(finding)) is not None]
    for way, reached in (
        ("accept", sum(value >= PROVISIONAL["accept"] for value in scores)),
        ("reject", sum(1 - value >= PROVISIONAL["reject"] for value in scores)),
    ):
        needed = labels_needed(promise.accept if way == "accept" else promise.reject, promise.delta)
        told = f"of {len(scores)} scans {reached} would be {way}ed by the provisional threshold"
        draw = (
            f"; drawing about {-(-needed * len(scores) // reached)} at random gives {needed} of them" if reached else ""
        )
        answers().print(f"To {way}: {told}{draw}.", markup=False)


def tell_calibration(calibration: Calibration, tested: Tested, study: Study, promise: Promise) -> None:
    """Thresholds with what they promise, and coverage against error."""
    from brainsift.cli.console import answers

    console = answers()
    meant = ", ".join(calibration.parts)
    console.print(
        f"\n{calibration.n} labelled scans of {calibration.people} people; good means: {meant}.", markup=False
    )
    unknown = len(study.agreed) - calibration.n
    others = [f"{unknown} where raters disagree, a grade is missing, or the model is doubted"] if unknown else []
    for line in (*study.left_out, *others):
        console.print(f"Left out: {line}.", markup=False)
    console.print(f"Probabilities: {_fitted(calibration, tested)}.", markup=False)
    console.print(_thresholds(calibration))
    console.print(_curve(tested, promise))
    _warn(calibration, promise)


def _fitted(calibration: Calibration, tested: Tested) -> str:
    if calibration.probability.method == "none":
        return "as the model gives them"
    people = calibration.people - tested.good.size
    told = f"calibrated by {calibration.probability.method} on {people} people, thresholds tested on the others"
    return f"{told}; by themselves: {', '.join(calibration.probabilities)}" if calibration.probabilities else told


def _thresholds(calibration: Calibration) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("scans", "direction", "people", "sure from", "decided", "wrong", "at most", "promise"):
        table.add_column(column, justify="left" if column in ("scans", "direction", "promise") else "right")
    for name, stratum in (("all", calibration.pooled), *calibration.strata.items()):
        for way, one in (("accept", stratum.accept), ("reject", stratum.reject)):
            bound = "" if one.bound is None else f"{one.bound:.1%}"
            threshold = "never" if one.threshold is None else f"{one.threshold:.3f}"
            kept = f"{one.alpha:.1%}" if not one.provisional else "none" if one.threshold is None else "provisional"
            cells = (name, way, str(stratum.people), threshold, str(one.decided), str(one.errors), bound, kept)
            table.add_row(*map(Text, cells))
    return table


def _curve(tested: Tested, promise: Promise) -> Table:
    from rich.table import Table

    from brainsift.decide.coverage import at_coverages, coverage_curve

    title = "Coverage against error, to look at and not to choose by"
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    for column in ("decided", "sure from", "accepted", "wrong", "rejected", "wrong", "error", "at most"):
        table.add_column(column, justify="right")
    for point in at_coverages(coverage_curve(tested, promise.delta), SHOWN_COVERAGES):
        counts = (point.accepted, point.accepted_wrong, point.rejected, point.rejected_wrong)
        shares = (f"{point.error:.1%}", f"{point.bound:.1%}")
        table.add_row(f"{point.coverage:.0%}", f"{point.threshold:.3f}", *map(str, counts), *shares)
    return table


def _warn(calibration: Calibration, promise: Promise) -> None:
    """Say where nothing is promised, and what would help."""
    from brainsift.cli.console import notes
    from brainsift.decide.bounds import labels_needed

    for name, stratum in (("", calibration.pooled), *calibration.strata.items()):
        for way, one in (("accept", stratum.accept), ("reject", stratum.reject)):
            scans = f"{name} scans" if name else "scans"
            if one.threshold is None:
                told = f"no {scans} will be {way}ed: no threshold promises at most {one.alpha:.1%} wrong; more labels, "
                told += "a looser level or a better model may change that"
            elif one.provisional:
                needed = labels_needed(one.alpha, promise.delta)
                told = f"too few labels to promise anything of {way}ing {scans}: {one.decided} decided people, "
                told += f"{needed} are needed; the provisional threshold stands"
            else:
                continue
            notes().print(f"warning: {told}.", markup=False)
