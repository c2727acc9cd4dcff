"""What stands on a Dask worker during a run: processes that do the scans, as those of the pool do.

A scan is done in a process of its own below the Dask worker, not in one of its threads: one that needs too much memory,
hangs or crashes costs its process alone, and several can be done side by side, which threads of one process cannot
since a scan sets the folder of temporary files and the warnings of its whole process.
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin

from brainsift.engine.cluster.errand import Errand, Freight, Reply, input_paths, moved, pack, unpack
from brainsift.engine.errors import RunError
from brainsift.engine.job import Context, Job, Outcome
from brainsift.engine.limits import kill_tree
from brainsift.engine.pool import ProcessPool
from brainsift.engine.scan_unit import SOFTWARE
from brainsift.engine.worker import worker_name
from brainsift.models.errors import ModelError
from brainsift.store.errors import StoreError
from brainsift.store.record_io import record_path

STATIONS: dict[str, Station] = {}
"""Token of a run → its station in this process."""


def worker_software() -> str:
    """The version of BrainSift that a worker has."""
    return SOFTWARE


def do_errand(errand: Errand) -> Reply:
    """Do one job. Runs in a Dask worker and never raises: Dask would write the arguments into its log."""
    station = STATIONS.get(errand.token)
    if station is None:
        return Reply(died=True)
    try:
        return station.do(errand)
    except StoreError as error:
        return Reply(fault=error)
    except OSError as error:
        fault = f"A Dask worker cannot work in its folder ({error.strerror})."
        return Reply(fault=RunError("worker_folder", fault, "Check the space and rights of Dask's local_directory."))
    except Exception as error:
        fault = f"A Dask worker met an unforeseen {type(error).__name__}."
        return Reply(fault=RunError("worker", fault, "Report it with the output of `brainsift info`."))


class Station(WorkerPlugin):  # type: ignore[misc]
    """The processes of one Dask worker for one run; Dask brings it to every worker that is there or comes later.

    Parameters
    ----------
    token : of the run.
    context : with folders as on the collector's machine.
    probe : file that the collector put into OUTPUT, holding `token`; a worker that sees it writes there itself.
    timeout_s, memory_limit : as of `ProcessPool`; without a limit, that of the Dask worker counts.
    """

    def __init__(
        self, token: str, context: Context, probe: Path, timeout_s: float | None, memory_limit: int | None
    ) -> None:
        self.name = f"brainsift-{token}"
        self._token, self._context, self._probe = token, context, probe
        self._timeout_s, self._memory_limit = timeout_s, memory_limit

    def setup(self, worker: Any) -> None:
        """Called by Dask on the worker."""
        # Dask marks its workers as daemons, which may not start processes; those of a station end with their parent by
        # themselves (`engine.worker`).
        multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
        self._lock, self._idle, self._numbers, self._closed = Lock(), list[Hand](), count(), False
        self._local = Path(worker.local_directory) / self.name
        self._shared: bool | None = None
        offered = getattr(worker.memory_manager, "memory_limit", None)
        if self._memory_limit is None and offered:
            self._memory_limit = int(offered) // max(1, worker.state.nthreads)
        STATIONS[self._token] = self

    def teardown(self, worker: Any) -> None:
        """Called by Dask when the run ends or the worker does."""
        self._closed = True
        STATIONS.pop(self._token, None)
        for child in multiprocessing.active_children():
            if child.pid is not None and child.name.startswith(
                (worker_name(self._context), f"brainsift {self._local}")
            ):
                kill_tree(child.pid)
        shutil.rmtree(self._local, ignore_errors=True)

    def do(self, errand: Errand) -> Reply:
        """Do one job in a free process."""
        self._look()
        paths = input_paths(errand.job.ref)
        if errand.inputs is None and not errand.as_it_is and not all(path.exists() for path in paths):
            return Reply(wants_inputs=True)
        with self._hand() as hand:
            return hand.answer(errand)

    def _look(self) -> None:
        """Find out once whether this worker sees OUTPUT and has the models of the run."""
        with self._lock:
            if self._shared is not None:
                return
            context = self._context
            try:
                models = context.stages.models(context.settings)
            except ModelError as error:
                raise _wrong_models() from error
            if models != context.models:
                raise _wrong_models()
            self._shared = _holds(self._probe, self._token)

    @contextmanager
    def _hand(self) -> Iterator[Hand]:
        with self._lock:
            hand = self._idle.pop() if self._idle else self._new_hand()
        try:
            yield hand
        finally:
            with self._lock:
                self._idle.append(hand)
            if self._closed:
                hand.stop()

    def _new_hand(self) -> Hand:
        folder = self._local / str(next(self._numbers))
        return Hand(self._context, folder, bool(self._shared), self._timeout_s, self._memory_limit)


class Hand:
    """One process that does scans, one after the other; started anew after it was killed.

    Parameters
    ----------
    context : of the run.
    folder : of this hand alone.
    shared : write into OUTPUT; else into `folder`, and give back what was written.
    timeout_s, memory_limit : as of `ProcessPool`.
    """

    def __init__(
        self, context: Context, folder: Path, shared: bool, timeout_s: float | None, memory_limit: int | None
    ) -> None:
        self._inputs, self._own = folder / "in", None if shared else folder / "out"
        if self._own is not None:
            context = replace(context, output=self._own, scratch=folder / "scratch")
        self._context = context
        self._pool = ProcessPool(1, timeout_s, memory_limit)
        self._feed = _Feed()
        self._outcomes: Any = None

    def answer(self, errand: Errand) -> Reply:
        """Do an errand: unpack what came with it, and pack what nobody else would see."""
        job = errand.job
        try:
            if errand.inputs is not None:
                unpack(errand.inputs, _made(self._inputs))
                job = replace(job, ref=moved(job.ref, self._inputs))
            if self._own is not None:
                unpack(errand.before or Freight({}), _made(self._own))
            outcome = self.do(job)
            if outcome is None:
                return Reply(died=True)
            record = record_path(self._context.output, job.ref.stem)
            return Reply(outcome, files=None if self._own is None else pack(self._own, [record]))
        finally:
            shutil.rmtree(self._inputs, ignore_errors=True)
            if self._own is not None:
                shutil.rmtree(self._own, ignore_errors=True)

    def do(self, job: Job) -> Outcome | None:
        """The outcome of a job; None if the process was killed."""
        self._feed.put(job)
        if self._outcomes is None:
            self._outcomes = self._pool.crew(self._feed, self._context, 1, [])
        outcome = next(self._outcomes, None)
        if outcome is None:
            self._outcomes = None
        return outcome

    def stop(self) -> None:
        """End the process."""
        if self._outcomes is not None:
            self._outcomes.close()
            self._outcomes = None


class _Feed:
    """An iterator that ends where nothing is left and goes on when there is more, as a generator cannot."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def put(self, job: Job) -> None:
        self._jobs.append(job)

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> Job:
        if not self._jobs:
            raise StopIteration
        return self._jobs.pop()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _holds(probe: Path, token: str) -> bool:
    try:
        return probe.read_text(encoding="ascii") == token
    except (OSError, ValueError):
        return False


def _wrong_models() -> RunError:
    return RunError(
        "worker_models",
        "A Dask worker does not have the models of this run.",
        "Install the same BrainSift there; a --shelf of your own must lie at the same path on every worker.",
    )
