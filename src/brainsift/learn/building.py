"""Banks that are built, or read, with a bar that says how far they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, TaskID

from brainsift.learn.workers import NamedJob, make_missing

J = TypeVar("J", bound=NamedJob)
R = TypeVar("R")


def build_folders(
    jobs: Mapping[str, Sequence[J]],
    output: Path,
    names: Callable[[Path], Sequence[str]],
    make: Callable[[J, Path], Path],
    workers: int,
    *,
    quiet: bool = False,
) -> None:
    """Make what is missing of several banks, in the order given.

    Parameters
    ----------
    jobs : name of a folder in `output` → its chunks; one without any is left out.
    names : of the finished chunks in a folder.
    make : makes and writes one chunk into a folder; other processes must be able to import it.
    """
    with Progress(disable=quiet) as bar:
        for name, chunks in jobs.items():
            if not chunks:
                continue
            task = bar.add_task(f"building {name}", total=len(chunks))
            folder = output / name
            show = partial(_show, bar, task)
            make_missing(chunks, names(folder), partial(_into, make=make, folder=folder), workers, show)


def _into(job: J, make: Callable[[J, Path], Path], folder: Path) -> Path:
    return make(job, folder)


def _show(bar: Progress, task: TaskID, done: int, _: int) -> None:
    bar.update(task, completed=done)


def read_with_bar(
    read: Callable[[Callable[[int, int], None]], R], *, what: str = "reading scans", quiet: bool = False
) -> R:
    """What `read` gives, which is called with what it is to tell its progress."""
    with Progress(disable=quiet) as bar:
        task = bar.add_task(what, total=None)
        return read(lambda done, total: bar.update(task, completed=done, total=total))


def tell_failed(failed: Mapping[str, str]) -> None:
    """Scan → why it was not used, on the error stream."""
    for scan, reason in failed.items():
        Console(stderr=True).print(f"{scan}: {reason}", markup=False)
