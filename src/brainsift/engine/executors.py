"""Who does the jobs: the interface, and the executor that needs no other process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from brainsift.engine.job import Context, Job, Outcome, do_job


class Executor(Protocol):
    """Does jobs in any order and hands back outcomes as they come.

    It takes jobs one by one as hands are free, so that a stream of 10^5 of them is never held in memory, and closing
    the returned iterator stops the work.
    """

    workers: int

    def run(self, jobs: Iterable[Job], context: Context) -> Iterator[Outcome]:
        """Yield one outcome per job."""
        ...


class InProcess:
    """One scan after the other in this process."""

    workers = 1

    def run(self, jobs: Iterable[Job], context: Context) -> Iterator[Outcome]:
        """Yield one outcome per job, in the order of the jobs."""
        for job in jobs:
            yield do_job(job, context)
