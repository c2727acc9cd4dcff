"""How far a run is: a bar with the time left on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from brainsift.cli.console import notes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

    from brainsift.engine.forecast import Forecast
    from brainsift.engine.summary import Progress

WORTH_SAYING_S = 60.0
"""A run that is over within a minute needs no forecast."""

LINE_EVERY_S = 30.0
"""Seconds between plain lines: the log of a night's run stays readable."""


class Display:
    """Shows where a run stands. A context manager; call it with each `Progress` of the engine."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or notes()
        self._bar: Bar | None = None
        self._last = time.monotonic()
        self._state: Progress | None = None
        self._foretold = False

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = _bar(self._console)
            self._bar.start()
            self._row = self._bar.add_task("looking for scans", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, state: Progress) -> None:
        """Show a new state."""
        self._state = state
        if not self._foretold and state.forecast is not None and state.forecast.seconds >= WORTH_SAYING_S:
            self._foretold = True
            self._console.print(forecast_words(state.forecast, complete=state.listed), markup=False)
        if self._bar is not None:
            self._bar.update(self._row, **_row(state))
        elif time.monotonic() - self._last >= LINE_EVERY_S:
            self._last = time.monotonic()
            self._console.print(words(state), markup=False)


def words(state: Progress) -> str:
    """Counts in words, those that are zero left out."""
    of = f"{state.found}" if state.listed else f"{state.found} or more"
    parts = [f"{state.finished} of {of} scans", f"{state.done} done"]
    parts += [f"{state.failed} failed"] if state.failed else []
    parts += [f"{state.skipped + state.refreshed} unchanged"] if state.skipped + state.refreshed else []
    if state.forecast is not None and state.forecast.seconds >= WORTH_SAYING_S:
        parts += [f"about {span(state.forecast.seconds)} left"]
    return ", ".join(parts)


def forecast_words(forecast: Forecast, complete: bool = True) -> str:
    """What is to be expected, in two sentences: how long, with its interval, and what takes most of it."""
    number = f"{forecast.scans:,}" if complete else f"{forecast.scans:,} or more"
    told = (
        f"About {span(forecast.seconds)} for the other {number} scans ({span(forecast.low)} to {span(forecast.high)}, "
        f"95 % of such runs; {forecast.seconds_per_scan:.2g} s a scan and process, measured on {forecast.measured})."
    )
    if forecast.slowest:
        part = f", most of it in `{forecast.slowest_part}`" if forecast.slowest_part else ""
        told += f" The slowest stage is `{forecast.slowest}`, {forecast.slowest_share:.0%} of the time{part}."
    return told


def span(seconds: float) -> str:
    """A length of time in its two largest units: ``45 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _row(state: Progress) -> dict[str, Any]:
    """What the bar is told; while scans are still being found there is no total and so no time left."""
    total = state.found if state.listed else None
    return {"completed": state.finished, "total": total, "description": words(state)}


def _bar(console: Console) -> Bar:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        BarColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
