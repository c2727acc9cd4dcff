"""What is asked of a study, apart from how the work is spread."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from brainsift.tasks.registry import REGISTRY

GIB = 1024**3

DEFAULT_MEMORY_PER_WORKER = 2 * GIB
"""Bytes one worker may take: the largest scans of routine work (460 x 512 x 160, float32, twice) and the network on a
whole head."""

LEAST_MEMORY_LIMIT = 512 * 1024**2
"""A worker with all libraries and networks loaded fills 0.4 GiB before it sees a scan."""

DEFAULT_TIMEOUT_S = 900.0
"""A scan takes about a second; after fifteen minutes it hangs (a dead network drive, a stuck converter)."""


@dataclass(frozen=True)
class RunSettings:
    """What changes a record: scans whose record was made with other settings are done again, or decided again.

    Attributes
    ----------
    tasks : names in `tasks.registry`; `integrity` always runs.
    only_for : task → sequences, of the tasks that are not asked of every scan. What a scan is, `integrity` says.
    keep_masks : write the brain mask of each scan on its own grid.
    pictures : write the mosaic of each scan.
    shelf : folder of the user's own models. Which models were used counts by their hashes, not by this path.
    calibrations : files of thresholds; those in OUTPUT are used without being named. They count by their hashes, which
        each record holds: other ones decide again from the record, and nothing is computed (`engine.redecide`).
    originals : folder or table of the scans before they were defaced, for the task `defacing`.
    face_renders : keep renders of heads that nothing was taken from, too.
    mars_atlas : file of an atlas in MNI152 for finer regions of microbleeds; it counts by its content.
    site : of scans whose site `participants.tsv` does not say, for calibrations that go by site.
    """

    tasks: tuple[str, ...] = ("integrity",)
    only_for: tuple[tuple[str, tuple[str, ...]], ...] = ()
    keep_masks: bool = False
    pictures: bool = True
    shelf: Path | None = None
    calibrations: tuple[Path, ...] = ()
    site: str | None = None
    originals: Path | None = None
    face_renders: bool = False
    mars_atlas: Path | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.tasks if name not in REGISTRY]
        if unknown:
            raise ValueError(f"Known tasks are {', '.join(REGISTRY)}, got {', '.join(unknown)}")
        ordered = tuple(name for name in REGISTRY if name == "integrity" or name in self.tasks)
        object.__setattr__(self, "tasks", ordered)
        limited = {name: tuple(sorted(set(sequences))) for name, sequences in self.only_for}
        limited.pop("integrity", None)
        if not set(limited) <= set(ordered):
            raise ValueError(f"only_for must name tasks of this run, got {', '.join(set(limited) - set(ordered))}")
        object.__setattr__(self, "only_for", tuple(sorted(limited.items())))

    def why_left_out(self, task: str, sequence: str) -> str | None:
        """A sentence that says why a task is not asked of a scan of this sequence; None where it is."""
        wanted = dict(self.only_for).get(task)
        if wanted is None or sequence in wanted:
            return None
        return f"The run asks it of {' and '.join(wanted)} scans alone, and this one is taken for {sequence}."

    def resolved(self) -> dict[str, Any]:
        """The settings that change what is computed, as plain values."""
        told: dict[str, Any] = {
            "tasks": list(self.tasks),
            "keep_masks": self.keep_masks,
            "pictures": self.pictures,
        }
        if self.only_for:
            told["only_for"] = {name: list(sequences) for name, sequences in self.only_for}
        if "defacing" in self.tasks:
            told |= {"originals": str(self.originals or ""), "face_renders": self.face_renders}
        if self.mars_atlas is not None and "microbleeds" in self.tasks:
            told["mars_atlas"] = _digest(self.mars_atlas)
        return told

    def sha256(self) -> str:
        """Digest of `resolved`."""
        return hashlib.sha256(json.dumps(self.resolved(), sort_keys=True).encode()).hexdigest()


@cache
def _digest(path: Path) -> str:
    """SHA-256 of a file, read once in a process."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class RunOptions:
    """How the work is done; none of this changes a record.

    Attributes
    ----------
    participants : BIDS labels to restrict the run to (``01``, not ``sub-01``); empty for all.
    nprocs : processes; None for as many as cores and memory allow; 1 works in this process unless a limit is given.
    memory_per_worker : bytes that one process is expected to take.
    memory_limit : bytes beyond which a process is ended and its scan given up; None for an equal share of what the
        machine has.
    timeout_s : seconds after which a scan is given up; None for 15 minutes.
    retry_failed : do failed scans again although nothing changed.
    dry_run : only say what would be done; nothing is written.
    first : do so many scans alone, spread over the sizes of all; None for all.
    write_study : make the study's tables at the end; a job that does one participant among many leaves it to `group`.
    db_url : SQLAlchemy URL; None for `OUTPUT/brainsift.db`.
    """

    participants: tuple[str, ...] = ()
    nprocs: int | None = None
    memory_per_worker: int = DEFAULT_MEMORY_PER_WORKER
    memory_limit: int | None = None
    timeout_s: float | None = None
    retry_failed: bool = False
    first: int | None = None
    dry_run: bool = False
    write_study: bool = True
    db_url: str | None = None

    def __post_init__(self) -> None:
        if self.nprocs is not None and self.nprocs < 1:
            raise ValueError(f"nprocs must be at least 1, got {self.nprocs}")
        if self.first is not None and self.first < 1:
            raise ValueError(f"first must be at least 1, got {self.first}")
        if self.memory_per_worker < 1:
            raise ValueError(f"memory_per_worker must be positive, got {self.memory_per_worker}")
        if self.memory_limit is not None and self.memory_limit < LEAST_MEMORY_LIMIT:
            raise ValueError(f"memory_limit must be at least {LEAST_MEMORY_LIMIT}, got {self.memory_limit}")
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise ValueError(f"timeout_s must be positive, got {self.timeout_s}")

    @property
    def limited(self) -> bool:
        """Whether a limit was asked for, which only a process of its own can be held to."""
        return self.memory_limit is not None or self.timeout_s is not None
