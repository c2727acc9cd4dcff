"""The last lines of a run: what happened, which scans failed and why, where to look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.cli.console import answers, notes

if TYPE_CHECKING:
    from brainsift.engine.summary import Counts, RunSummary

FAILURES = "failures.tsv"


def tell_summary(summary: RunSummary, output: Path, page: Path | None) -> None:
    """Print failures to standard error and the counts to standard output."""
    tell_failures(summary, output)
    console = answers()
    console.print(f"{count_words(summary.counts)} in {summary.seconds:.1f} s", markup=False)
    if summary.interrupted:
        notes().print("Interrupted. The same command goes on where this one stopped.", markup=False)
    if summary.counts.left:
        console.print(_left_words(summary), markup=False)
    if page is not None:
        console.print(f"Report: {page}", markup=False)


def _left_words(summary: RunSummary) -> str:
    """How long the scans would take that were not asked for yet."""
    from brainsift.cli.progress import forecast_words

    if summary.forecast is None:
        return f"{summary.counts.left} scans are left; too few were done to say how long they will take."
    return forecast_words(summary.forecast)


def tell_failures(summary: RunSummary, output: Path) -> None:
    """Name the failed scans, each with its cause and remedy."""
    console = notes()
    for failure in summary.failures:
        console.print(f"failed: {failure.scan}: {failure.cause} {failure.remedy}", markup=False)
    more = summary.counts.failed + summary.counts.still_failed - len(summary.failures)
    if more > 0:
        console.print(f"{more} more failed scans are in {output / FAILURES}.", markup=False)
    if summary.counts.page_errors:
        console.print(f"{summary.counts.page_errors} pages could not be made; the records are whole.", markup=False)


def count_words(counts: Counts) -> str:
    """Counts in words, those that are zero left out."""
    parts = {
        "done": counts.done,
        "failed": counts.failed,
        "unchanged": counts.skipped + counts.refreshed,
        "decided again by another calibration": counts.redecided,
        "failed before (see --retry-failed)": counts.still_failed,
        "with the same content as another": counts.duplicates,
    }
    told = ", ".join(f"{number} {word}" for word, number in parts.items() if number)
    return f"{counts.found} {'scan' if counts.found == 1 else 'scans'}: {told or 'nothing to do'}"


def tell_plan(summary: RunSummary) -> None:
    """Print what a run would do and why."""
    console = answers()
    console.print(f"{summary.counts.found} scans found; nothing was written.", markup=False)
    for step, number in sorted(summary.plan.items()):
        console.print(f"{number:>8}  {step}", markup=False)
