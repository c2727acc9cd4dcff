"""A worker process and the two pipes that lead to it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic

from brainsift.engine.job import Context, Job, Outcome, do_job
from brainsift.store.files import sweep_parts
from brainsift.store.record_io import record_path

STOP_GRACE_S = 2.0
"""How long a worker may take to end by itself before it is killed."""

READY = "ready"


def serve(jobs: Connection[None, Job | None], outcomes: Connection[Outcome | str, None], context: Context) -> None:
    """Do jobs until told to stop or the other end is gone. Runs in the worker."""
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        outcomes.send(READY)
        while (job := jobs.recv()) is not None:
            outcomes.send(do_job(job, context))
    except (EOFError, BrokenPipeError):
        return


class Worker:
    """The parent's handle on one worker process.

    One-way pipes are used because a two-way `multiprocessing.Pipe` is a socket pair, and `spawn` because a fork copies
    the threads' locks of ONNX Runtime and `forkserver` listens on a socket. No socket is opened anywhere in a run.
    """

    def __init__(self, context: Context) -> None:
        spawn = get_context("spawn")
        job_source, self._jobs = spawn.Pipe(duplex=False)
        self.outcomes, outcome_sink = spawn.Pipe(duplex=False)
        self.process = spawn.Process(target=serve, args=(job_source, outcome_sink, context), daemon=True)
        with _sigint_held_back():
            self.process.start()
        # Only the worker keeps these ends: its death is then seen as the end of the file.
        job_source.close()
        outcome_sink.close()
        self._output = context.output
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

    def stop(self) -> None:
        """Let an idle worker end, kill a busy one, and release what it held."""
        if self.job is None and self.ready:
            with suppress(OSError):
                self._jobs.send(None)
            self.process.join(STOP_GRACE_S)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        if self.job is not None and self.process.pid is not None:
            sweep_parts(record_path(self._output, self.job.ref.stem).parent, self.process.pid)
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
