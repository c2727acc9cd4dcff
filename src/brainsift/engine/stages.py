"""The stages a scan goes through, as functions that can be sent to another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.engine.limits import reading_limit
from brainsift.scans.ref import ScanRef
from brainsift.tasks.registry import MODELS, load_task

if TYPE_CHECKING:
    from brainsift.anatomy.anatomy import Anatomy
    from brainsift.engine.settings import RunSettings
    from brainsift.scans.volume import Volume
    from brainsift.tasks.base import Task


def read_scan(ref: ScanRef, scratch: Path | None) -> Volume:
    """Read the pixels."""
    from brainsift.scans.read import read

    return read(ref, scratch=scratch, memory_limit_bytes=reading_limit())


def see_anatomy(volume: Volume, settings: RunSettings, threads: int | None) -> Anatomy:
    """Run the shared anatomy pass."""
    from brainsift.anatomy.compute import compute_anatomy

    return compute_anatomy(volume, threads=threads, shelf=settings.shelf)


def current_models(settings: RunSettings) -> dict[str, str]:
    """Model id → SHA-256 of every model that these settings use.

    Raises
    ------
    ModelError
        if one is missing or damaged.
    """
    from brainsift.anatomy.atlas_prior import prior_digest
    from brainsift.models.shelf import find

    of_tasks = [name for task in settings.tasks for name in MODELS.get(task, ())]
    names = dict.fromkeys(["anatomy", *of_tasks])
    return {name: find(name, settings.shelf).sha256 for name in names} | {"atlas_prior": prior_digest()}


@dataclass(frozen=True)
class Stages:
    """What stands at each step; the defaults are the real ones. Functions must be importable by name, to reach a
    worker.

    Attributes
    ----------
    read : reference and scratch folder → volume.
    anatomy : volume, settings and threads (None for all cores) → anatomy.
    task : name → task.
    models : settings → model id and SHA-256 of all that would be used.
    """

    read: Callable[[ScanRef, Path | None], Volume] = read_scan
    anatomy: Callable[[Volume, RunSettings, int | None], Anatomy] = see_anatomy
    task: Callable[[str], Task] = load_task
    models: Callable[[RunSettings], dict[str, str]] = current_models
