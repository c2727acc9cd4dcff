"""What is asked of a study, apart from how the work is spread."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainsift.tasks.registry import REGISTRY

GIB = 1024**3

DEFAULT_MEMORY_PER_WORKER = 2 * GIB
"""Bytes one worker may take: the largest scans of routine work (460 x 512 x 160, float32, twice) and the network on a
whole head."""

DEFAULT_TIMEOUT_S = 900.0
"""A scan takes about a second; after fifteen minutes it hangs (a dead network drive, a stuck converter)."""


@dataclass(frozen=True)
class RunSettings:
    """What changes a record: scans whose record was made with other settings are done again, or decided again.

    Attributes
    ----------
    tasks : names in `tasks.registry`; `integrity` always runs.
    keep_masks : write the brain mask of each scan on its own grid.
    pictures : write the mosaic of each scan.
    shelf : folder of the user's own models. Which models were used counts by their hashes, not by this path.
    calibrations : files of thresholds; those in OUTPUT are used without being named. They count by their hashes, which
        each record holds: other ones decide again from the record, and nothing is computed (`engine.redecide`).
    originals : folder or table of the scans before they were defaced, for the task `defacing`.
    face_renders : keep renders of heads that nothing was taken from, too.
    site : of scans whose site `participants.tsv` does not say, for calibrations that go by site.
    """

    tasks: tuple[str, ...] = ("integrity",)
    keep_masks: bool = False
    pictures: bool = True
    shelf: Path | None = None
    calibrations: tuple[Path, ...] = ()
    site: str | None = None
    originals: Path | None = None
    face_renders: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.tasks if name not in REGISTRY]
        if unknown:
            raise ValueError(f"Known tasks are {', '.join(REGISTRY)}, got {', '.join(unknown)}")
        ordered = tuple(name for name in REGISTRY if name == "integrity" or name in self.tasks)
        object.__setattr__(self, "tasks", ordered)

    def resolved(self) -> dict[str, Any]:
        """The settings that change what is computed, as plain values."""
        told: dict[str, Any] = {
            "tasks": list(self.tasks),
            "keep_masks": self.keep_masks,
            "pictures": self.pictures,
        }
        if "defacing" in self.tasks:
            told |= {"originals": str(self.originals or ""), "face_renders": self.face_renders}
        return told

    def sha256(self) -> str:
        """Digest of `resolved`."""
        return hashlib.sha256(json.dumps(self.resolved(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class RunOptions:
    """How the work is done; none of this changes a record.

    Attributes
    ----------
    participants : BIDS labels to restrict the run to (``01``, not ``sub-01``); empty for all.
    nprocs : processes; None for as many as cores and memory allow; 1 works in this process.
    memory_per_worker : bytes that one process may take.
    timeout_s : seconds after which a scan is given up (not with ``nprocs=1``).
    retry_failed : do failed scans again although nothing changed.
    dry_run : only say what would be done; nothing is written.
    write_study : make the study's tables at the end; a job that does one participant among many leaves it to `group`.
    db_url : SQLAlchemy URL; None for `OUTPUT/brainsift.db`.
    """

    participants: tuple[str, ...] = ()
    nprocs: int | None = None
    memory_per_worker: int = DEFAULT_MEMORY_PER_WORKER
    timeout_s: float | None = DEFAULT_TIMEOUT_S
    retry_failed: bool = False
    dry_run: bool = False
    write_study: bool = True
    db_url: str | None = None

    def __post_init__(self) -> None:
        if self.nprocs is not None and self.nprocs < 1:
            raise ValueError(f"nprocs must be at least 1, got {self.nprocs}")
        if self.memory_per_worker < 1:
            raise ValueError(f"memory_per_worker must be positive, got {self.memory_per_worker}")
