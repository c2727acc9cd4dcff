"""What those who look on are told, and how they are kept from doing harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from brainsift.engine.job import Outcome
from brainsift.engine.summary import Progress


@dataclass(frozen=True)
class Began:
    """A run that starts: what is asked (tasks), by how many workers, of which study (the key of `study_key`)."""

    tasks: tuple[str, ...]
    workers: int
    study: str
    software: str


class Watcher(Protocol):
    """Looks on. Called in the process that collects, never in a worker; must not raise for what it cannot write."""

    def began(self, run: Began) -> None:
        """The run starts."""
        ...

    def took(self, outcome: Outcome, state: Progress) -> None:
        """A scan is finished."""
        ...

    def ended(self, state: Progress, seconds: float, ended: str) -> None:
        """The run ends: ``done``, ``interrupted`` or ``stopped`` (by an error that concerns the run)."""
        ...


class Watchers:
    """Several of them as one; one that fails to write is told no more, and the run goes on.

    Attributes
    ----------
    lost : what failed, as sentences for the user.
    """

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = list(watchers)
        self.lost: list[str] = []

    def began(self, run: Began) -> None:
        """Tell all."""
        self._tell("began", run)

    def took(self, outcome: Outcome, state: Progress) -> None:
        """Tell all."""
        self._tell("took", outcome, state)

    def ended(self, state: Progress, seconds: float, ended: str) -> None:
        """Tell all."""
        self._tell("ended", state, seconds, ended)

    def _tell(self, what: str, *words: object) -> None:
        for watcher in list(self._watchers):
            try:
                getattr(watcher, what)(*words)
            except OSError as error:
                self._watchers.remove(watcher)
                name = type(watcher).__name__
                self.lost.append(f"{name} could not be written any more ({error.strerror}); the records are whole.")
