"""What the benchmarks count with: processor seconds, which a busy machine changes less than wall time, and memory."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from brainsift.stage_clock import StageClock

DATA = Path(__file__).parents[2] / "shared" / "data"
"""Real scans, where they are (see their README); benchmarks that need them say so where they are not."""

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"
"""What Linux (proc(5), since 4.0) takes to forget the peak of resident memory."""


def reset_peak() -> bool:
    """Forget the peak of this process's memory; False where the system cannot."""
    with suppress(OSError):
        CLEAR.write_text(RESET_PEAK)
        return True
    return False


def peak_mb() -> float:
    """Peak of resident memory since the start or the last reset, MB of 10^6 bytes."""
    with suppress(OSError, StopIteration):
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def cpu_seconds(children: bool = True) -> float:
    """User and system seconds of this process, and of its ended children."""
    whose = [resource.RUSAGE_SELF, *([resource.RUSAGE_CHILDREN] if children else [])]
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whose))


@dataclass
class PeakClock(StageClock):
    """A stage clock that also notes the peak of memory in each whole stage, MB."""

    peak: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """As `StageClock.at`."""
        whole = not self._under_way
        if whole:
            reset_peak()
        with super().at(name):
            yield
        if whole:
            self.peak[name] = max(self.peak.get(name, 0.0), peak_mb())


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Rows as aligned text: the first column to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        return "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )

    return "\n".join([line(head), "  ".join("-" * width for width in widths), *map(line, rows)])
