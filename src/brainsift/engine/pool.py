"""A pool of processes that survives the death of any of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from time import monotonic

from brainsift.engine.errors import RunError
from brainsift.engine.job import Context, Job, Outcome, failed_record, finish
from brainsift.engine.worker import Worker
from brainsift.store.record import Failure

POLL_S = 1.0
"""How often running times are looked at while no worker has anything to say."""


class ProcessPool:
    """Worker processes, each with its own pipes.

    `concurrent.futures.ProcessPoolExecutor` gives up all its work when one process dies. Here only the scan that the
    process held is touched: it is tried once more at the end, alone, since a worker is mostly killed for the memory
    that all of them took together. If that kills the worker again, the scan has failed.

    Parameters
    ----------
    workers : number of processes.
    timeout_s : seconds after which a scan is given up; None to wait for ever.
    """

    def __init__(self, workers: int, timeout_s: float | None = None) -> None:
        self.workers = workers
        self.timeout_s = timeout_s

    def run(self, jobs: Iterable[Job], context: Context) -> Iterator[Outcome]:
        """Yield one outcome per job as they are finished.

        Raises
        ------
        RunError
            if a worker dies before it could take any job.
        """
        suspects: list[Job] = []
        yield from self._crew(iter(jobs), context, self.workers, suspects)
        for job in suspects:
            died: list[Job] = []
            yield from self._crew(iter([job]), context, 1, died)
            for lost in died:
                yield finish(failed_record(lost, context, _worker_died()), context)

    def _crew(self, jobs: Iterator[Job], context: Context, size: int, died: list[Job]) -> Iterator[Outcome]:
        """Work through `jobs` with up to `size` processes; jobs whose process died are put into `died`."""
        crew: list[Worker] = []
        waiting: deque[Job] = deque()
        try:
            while True:
                _hand_out(jobs, waiting, crew, context, size)
                if not any(worker.job or not worker.ready for worker in crew) and not waiting:
                    return
                for worker in _with_news(crew):
                    try:
                        outcome = worker.take()
                    except EOFError:
                        self._bury(worker, crew, died)
                        continue
                    if outcome is not None:
                        yield outcome
                yield from self._give_up_slow(crew, context)
        finally:
            for worker in crew:
                worker.stop()

    def _bury(self, worker: Worker, crew: list[Worker], died: list[Job]) -> None:
        crew.remove(worker)
        job, ready = worker.job, worker.ready
        worker.stop()
        if not ready:
            raise RunError(
                "worker_start",
                "A worker process ended before it could take a scan.",
                "Run with --nprocs 1 to see why. A script that calls BrainSift needs `if __name__ == '__main__':`.",
            )
        if job is not None:
            died.append(job)

    def _give_up_slow(self, crew: list[Worker], context: Context) -> Iterator[Outcome]:
        if self.timeout_s is None:
            return
        for worker in [w for w in crew if w.job is not None and w.ready and monotonic() - w.since > self.timeout_s]:
            job = worker.job
            crew.remove(worker)
            worker.stop()
            if job is not None:
                yield finish(failed_record(job, context, _too_slow(self.timeout_s)), context)


def _hand_out(jobs: Iterator[Job], waiting: deque[Job], crew: list[Worker], context: Context, size: int) -> None:
    """Give each free worker a job, and start workers only while there are jobs for them."""
    for worker in crew:
        if worker.ready and worker.job is None and (job := _next(jobs, waiting)) is not None:
            worker.give(job)
    starting = sum(not worker.ready for worker in crew)
    while len(crew) < size:
        # A job is held back for each worker that is starting, so none is started in vain.
        while len(waiting) <= starting:
            job = next(jobs, None)
            if job is None:
                return
            waiting.append(job)
        crew.append(Worker(context))
        starting += 1


def _next(jobs: Iterator[Job], waiting: deque[Job]) -> Job | None:
    return waiting.popleft() if waiting else next(jobs, None)


def _with_news(crew: list[Worker]) -> list[Worker]:
    by_pipe = {worker.outcomes: worker for worker in crew}
    return [by_pipe[pipe] for pipe in wait(list(by_pipe), timeout=POLL_S) if pipe in by_pipe]


def _worker_died() -> Failure:
    return Failure(
        kind="worker_died",
        cause="The process that worked on this scan was ended twice by the system, the second time working alone.",
        remedy="Most often memory is short: use a larger machine. Else look for a damaged file, and report it.",
        stage="worker",
    )


def _too_slow(limit_s: float) -> Failure:
    return Failure(
        kind="timeout",
        cause=f"The scan was not finished after {limit_s:g} s.",
        remedy="Check whether its disk answers and the machine is not overloaded, then run again with --retry-failed.",
        stage="worker",
    )
