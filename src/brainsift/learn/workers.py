"""Make the chunks of a bank in several processes of one thread each; what is done is not done again."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Protocol, TypeVar


class NamedJob(Protocol):
    """A chunk to be made."""

    @property
    def name(self) -> str:
        """Name of its files."""


J = TypeVar("J", bound=NamedJob)


def make_missing(
    jobs: Sequence[J],
    there: Iterable[str],
    make: Callable[[J], Path],
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Make the chunks that are not there yet; returns how many are there at the end.

    Parameters
    ----------
    there : names of the finished chunks.
    make : makes and writes one chunk; other processes must be able to import it.
    workers : processes, one thread each; 0 for this process.
    progress : called with the number of chunks done and the number in all.
    """
    finished = set(there)
    todo = [job for job in jobs if job.name not in finished]
    done = len(jobs) - len(todo)
    for _ in _run(todo, make, workers):
        done += 1
        if progress is not None:
            progress(done, len(jobs))
    return done


def _run(todo: Sequence[J], make: Callable[[J], Path], workers: int) -> Iterable[Path]:
    if workers == 0:
        yield from map(make, todo)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        for future in as_completed([pool.submit(make, job) for job in todo]):
            yield future.result()


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
