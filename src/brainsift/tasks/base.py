"""What every task is: a question asked of one scan, answered by one `Finding`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume

Measurement = float | int | bool | str | None


class Finding(BaseModel):
    """What one task found in one scan.

    `measurements` carry their unit in the name (`volume_ml`, `diameter_mm`); `evidence` maps a name to a path relative
    to OUTPUT.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    label: str
    reason: str = ""
    probabilities: dict[str, float] = Field(default_factory=dict)
    measurements: dict[str, Measurement] = Field(default_factory=dict)
    flags: tuple[str, ...] = ()
    evidence: dict[str, str] = Field(default_factory=dict)
    model_id: str | None = None
    model_sha256: str | None = None
    seconds: float = 0.0


class NotApplicableError(Exception):
    """A task looked at a scan and found that its question does not apply; `reason` is a sentence for the record."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class DrawnImage:
    """Values that a task drew on the scan's own grid.

    Attributes
    ----------
    suffix : of BIDS: ``mask``, ``probseg``.
    values : uint8 (X, Y, Z), as `Volume.data`.
    scale : what one step of the values is worth.
    description : a sentence for the sidecar.
    """

    suffix: str
    values: NDArray[np.uint8]
    scale: float
    description: str


@dataclass(frozen=True, eq=False)
class Drawn:
    """A finding and what was drawn for it; names are those of the finding's evidence, in the order wanted there.

    Attributes
    ----------
    label : BIDS ``label-`` of what is drawn (``L``: lesion).
    images, tables, pictures : name → image on the scan's grid, tab-separated text, WebP.
    """

    finding: Finding
    label: str
    images: Mapping[str, DrawnImage]
    tables: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)


class Task(Protocol):
    """A question asked of a scan. No task knows another."""

    name: str

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Whether the question makes sense for this scan."""
        ...

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Answer it.

        Raises `ScanError` where the scan cannot be answered for, `NotApplicableError` where it need not be.
        """
        ...


@runtime_checkable
class Networked(Protocol):
    """A task that asks a network of its own."""

    def on(self, shelf: Path | None, threads: int | None) -> Task:
        """The task with the network of the user's `shelf`, where one is there, and this many threads (None: all)."""
        ...


@runtime_checkable
class Atlased(Protocol):
    """A task that names regions by an atlas of the user's."""

    def with_atlas(self, mars_atlas: Path | None) -> Task:
        """The task with this file."""
        ...


@runtime_checkable
class Draws(Protocol):
    """A task whose answer is drawn on the scan, to be kept beside the record."""

    def draw(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef, *, pictures: bool) -> Drawn:
        """Answer as `run` does, and give what was drawn; without `pictures` no pictures are made."""
        ...
