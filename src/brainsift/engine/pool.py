"""A pool of processes that survives the death of any of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from time import monotonic

from brainsift.engine.errors import RunError
from brainsift.engine.job import Context, Job, Outcome, failed_record, finish
from brainsift.engine.limits import BLOATED_SHARE
from brainsift.engine.settings import GIB
from brainsift.engine.worker import Worker
from brainsift.store.record import Failure

POLL_S = 0.25
"""How often running times and memory are looked at while no worker has anything to say."""

MAX_STILLBORN = 3
"""Workers in a row that may end before they are ready: one may be killed while it starts, three are a broken install.
"""


class ProcessPool:
    """Worker processes, each with its own pipes.

    `concurrent.futures.ProcessPoolExecutor` gives up all its work when one process dies. Here only the scan that the
    process held is touched: it is tried once more at the end, alone, since a worker is mostly killed for the memory
    that all of them took together. If that kills the worker again, the scan has failed.

    Parameters
    ----------
    workers : number of processes.
    timeout_s : seconds after which a scan is given up; None to wait for ever.
    memory_limit : bytes one worker may take; a scan that makes it take more is given up. None for no limit.
    """

    def __init__(self, workers: int, timeout_s: float | None = None, memory_limit: int | None = None) -> None:
        self.workers = workers
        self.timeout_s = timeout_s
        self.memory_limit = memory_limit
        self._stillborn = 0

    def run(self, jobs: Iterable[Job], context: Context) -> Iterator[Outcome]:
        """Yield one outcome per job as they are finished.

        Raises
        ------
        RunError
            if workers die, one after the other, before they could take any job.
        """
        self._stillborn = 0
        suspects: list[Job] = []
        yield from self.crew(iter(jobs), context, self.workers, suspects)
        for job in suspects:
            died: list[Job] = []
            yield from self.crew(iter([job]), context, 1, died)
            for lost in died:
                yield finish(failed_record(lost, context, _worker_died()), context)

    def crew(self, jobs: Iterator[Job], context: Context, size: int, died: list[Job]) -> Iterator[Outcome]:
        """Work through `jobs` with up to `size` processes; jobs whose process died are put into `died`."""
        crew: list[Worker] = []
        waiting: deque[Job] = deque()
        try:
            while True:
                self._hand_out(jobs, waiting, crew, context, size)
                if not any(worker.job or not worker.ready for worker in crew) and not waiting:
                    return
                for worker in _with_news(crew):
                    try:
                        outcome = worker.take()
                    except EOFError:
                        self._bury(worker, crew, died)
                        continue
                    self._stillborn = 0
                    if outcome is not None:
                        self._retire_bloated(worker, crew)
                        yield outcome
                yield from self._give_up(crew, context)
        finally:
            for worker in crew:
                worker.stop()

    def _bury(self, worker: Worker, crew: list[Worker], died: list[Job]) -> None:
        crew.remove(worker)
        job, ready = worker.job, worker.ready
        worker.stop()
        if not ready:
            self._stillborn += 1
            if self._stillborn < MAX_STILLBORN:
                return
            raise RunError(
                "worker_start",
                f"{MAX_STILLBORN} worker processes ended, one after the other, before they could take a scan.",
                "Run with --nprocs 1 to see why. A script that calls BrainSift needs `if __name__ == '__main__':`.",
            )
        if job is not None:
            died.append(job)

    def _retire_bloated(self, worker: Worker, crew: list[Worker]) -> None:
        """Let a worker go that kept much memory of the scans before; `_hand_out` starts another where there is work."""
        if self.memory_limit is not None and worker.memory_bytes > BLOATED_SHARE * self.memory_limit:
            crew.remove(worker)
            worker.stop()

    def _give_up(self, crew: list[Worker], context: Context) -> Iterator[Outcome]:
        """Kill workers whose scan takes too long or too much, and say so in its record; not one that has answered."""
        for worker in [w for w in crew if w.job is not None and not w.outcomes.poll()]:
            why, job = self._beyond(worker), worker.job
            if why is not None and job is not None:
                crew.remove(worker)
                worker.stop()
                yield finish(failed_record(job, context, why), context)

    def _beyond(self, worker: Worker) -> Failure | None:
        if self.timeout_s is not None and monotonic() - worker.since > self.timeout_s:
            return _too_slow(self.timeout_s)
        if self.memory_limit is not None and worker.memory_bytes > self.memory_limit:
            return _too_much(self.memory_limit)
        return None

    def _hand_out(
        self, jobs: Iterator[Job], waiting: deque[Job], crew: list[Worker], context: Context, size: int
    ) -> None:
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
            crew.append(Worker(context, self.memory_limit))
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


def _too_much(limit: int) -> Failure:
    return Failure(
        kind="out_of_memory",
        cause=f"The worker took more than its {limit / GIB:.1f} GiB of memory for this scan and was ended.",
        remedy="Check that the scan is what it should be, then run again with --retry-failed and fewer processes "
        "(--nprocs) or a larger --memory-limit.",
        stage="worker",
    )


def _too_slow(limit_s: float) -> Failure:
    return Failure(
        kind="timeout",
        cause=f"The scan was not finished after {limit_s:g} s.",
        remedy="Check whether its disk answers and the machine is not overloaded, then run again with --retry-failed, "
        "with a longer --time-limit if the scan needs it.",
        stage="worker",
    )
