"""A worker process and the two pipes that lead to it."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from time import monotonic

from brainsift.engine.job import Context, Job, Outcome, do_job, scratch_prefix
from brainsift.engine.limits import kill_tree, leave_with_children, limit_own_memory, resident_bytes
from brainsift.engine.resources import library_threads
from brainsift.store.files import sweep_parts
from brainsift.store.record_io import record_path

STOP_GRACE_S = 2.0
"""How long a worker may take to end by itself before it is killed."""

READY = "ready"


def serve(
    jobs: Connection[None, Job | None],
    outcomes: Connection[Outcome | str, None],
    context: Context,
    memory_limit: int | None = None,
) -> None:
    """Do jobs until told to stop or the other end is gone. Runs in the worker."""
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    if memory_limit is not None:
        limit_own_memory(memory_limit)
    try:
        outcomes.send(READY)
        while (job := jobs.recv()) is not None:
            outcomes.send(do_job(job, context))
    except (EOFError, BrokenPipeError):
        return


def _leave_with_parent() -> None:
    """End this worker as soon as its parent is gone, killed perhaps: nobody would stop a scan that hangs any more."""
    parent = parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    leave_with_children()


def worker_name(context: Context) -> str:
    """Name of the processes that work for this run, among those of a Dask worker that may serve several."""
    return f"brainsift {context.scratch}"


class Worker:
    """The parent's handle on one worker process.

    One-way pipes are used because a two-way `multiprocessing.Pipe` is a socket pair, and `spawn` because a fork copies
    the threads' locks of ONNX Runtime and `forkserver` listens on a socket. No socket is opened anywhere in a run.
    """

    def __init__(self, context: Context, memory_limit: int | None = None) -> None:
        spawn = get_context("spawn")
        job_source, self._jobs = spawn.Pipe(duplex=False)
        self.outcomes, outcome_sink = spawn.Pipe(duplex=False)
        told = (job_source, outcome_sink, context, memory_limit)
        self.process = spawn.Process(target=serve, args=told, daemon=True, name=worker_name(context))
        with _sigint_held_back(), library_threads(context.threads):
            self.process.start()
        # Only the worker keeps these ends: its death is then seen as the end of the file.
        job_source.close()
        outcome_sink.close()
        self._output, self._scratch = context.output, context.scratch
        self.ready = False
        self.job: Job | None = None
        self.since = monotonic()

    def give(self, job: Job) -> None:
        """Hand over a job. A worker that is gone is noticed at the next `take`."""
        self.job, self.since = job, monotonic()
        with suppress(BrokenPipeError):
            self._jobs.send(job)

    def take(self) -> Outcome | None:
        """Take what the worker sent: an outcome, or None for the sign that it is ready.

        Raises
        ------
        EOFError
            if it died.
        """
        try:
            message = self.outcomes.recv()
        except OSError as error:
            raise EOFError from error
        if isinstance(message, Outcome):
            self.job = None
            return message
        self.ready = True
        return None

    @property
    def memory_bytes(self) -> int:
        """Memory that it has filled; 0 if it is gone."""
        return 0 if self.process.pid is None else resident_bytes(self.process.pid)

    def stop(self) -> None:
        """Let an idle worker end, kill a busy one, and release what it held."""
        if self.job is None and self.ready:
            with suppress(OSError):
                self._jobs.send(None)
            self.process.join(STOP_GRACE_S)
        pid = self.process.pid
        if self.process.is_alive():
            if pid is not None:
                kill_tree(pid)
            self.process.kill()
        self.process.join()
        if self.job is not None and pid is not None:
            sweep_parts(record_path(self._output, self.job.ref.stem).parent, pid)
            for folder in self._scratch.glob(f"{scratch_prefix(pid)}*"):
                shutil.rmtree(folder, ignore_errors=True)
        self._jobs.close()
        self.outcomes.close()
        self.process.close()


@contextmanager
def _sigint_held_back() -> Iterator[None]:
    """Start a process with SIGINT blocked, which it inherits: a Ctrl-C while it imports would print a traceback."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
