"""Seconds by stage, counted where the work is done: rooms say which stage they are in, whoever wants to know listens.

Nobody listens by default, and then a stage costs a look at a variable. Stages inside one another get names with a dot:
``anatomy.conform`` is a part of ``anatomy`` and is counted in both.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class StageClock:
    """What was counted.

    Attributes
    ----------
    wall : stage → seconds that passed.
    cpu : stage → seconds of processor time of this process, all its threads together.
    """

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    _under_way: list[str] = field(default_factory=list)

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Count the block for a stage, also when it raises; the same stage again adds to what was counted."""
        self._under_way.append(name)
        stage = ".".join(self._under_way)
        # Noted at the start, so that a stage stands before its parts.
        before = self.wall.setdefault(stage, 0.0), self.cpu.setdefault(stage, 0.0)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._under_way.pop()
            self.wall[stage] = before[0] + time.perf_counter() - wall
            self.cpu[stage] = before[1] + time.process_time() - cpu


_listening: ContextVar[StageClock | None] = ContextVar("stage_clock", default=None)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count the block for a stage if anybody listens."""
    clock = _listening.get()
    if clock is None:
        yield
        return
    with clock.at(name):
        yield


@contextmanager
def listening(clock: StageClock) -> Iterator[StageClock]:
    """Count the stages of the block, in this thread, with `clock`."""
    token = _listening.set(clock)
    try:
        yield clock
    finally:
        _listening.reset(token)


def whole_stages(seconds: dict[str, float]) -> dict[str, float]:
    """The stages that are part of no other, so that their sum is the whole."""
    return {name: spent for name, spent in seconds.items() if "." not in name}
