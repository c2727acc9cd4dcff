"""Scans through Dask: the same unit of work as the pool's, on as many machines as a cluster has."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from glob import escape
from typing import TYPE_CHECKING

from brainsift.engine.cluster.connect import connected
from brainsift.engine.cluster.errand import Errand, Freight, Reply, unpack
from brainsift.engine.cluster.flights import Flights, not_installed
from brainsift.engine.cluster.options import LOCAL, SLURM, ClusterOptions
from brainsift.engine.errors import RunError
from brainsift.engine.job import Context, Job, Outcome, failed_record, finish, forget
from brainsift.engine.resources import usable_cores
from brainsift.engine.scan_unit import SOFTWARE
from brainsift.store.files import PART_SUFFIX, write_atomic
from brainsift.store.record import Failure
from brainsift.store.record_io import RECORD_SUFFIX, record_path, write_record

if TYPE_CHECKING:
    from distributed import Client

PROBE = ".brainsift-probe-"

PATIENCE_S = 600.0
"""How long a cluster may be without any worker before the run is ended. Slurm's queue may take days."""


class DaskExecutor:
    """Gives scans to a Dask cluster and takes back their outcomes.

    Workers that see OUTPUT write there, as those of the pool do; the others send what they wrote, and this process
    writes it. Scans whose files a worker does not see are sent to it. A scan whose process is killed is tried once more
    at the end with nothing beside it; one whose machine is lost is given to others by Dask, and after
    `distributed.scheduler.allowed-failures` losses it, too, waits for the end. What is lost then has failed.

    Parameters
    ----------
    cluster : which one.
    timeout_s : seconds after which a scan is given up.
    memory_limit : bytes that the process of one scan may take; None for the share that Dask gives a worker.
    tell : called with sentences about the cluster.
    """

    def __init__(
        self,
        cluster: ClusterOptions,
        timeout_s: float | None = None,
        memory_limit: int | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.cluster = cluster
        self.workers = cluster.workers if cluster.address == LOCAL else 1  # Until they are counted.
        self._timeout_s, self._memory_limit, self._tell = timeout_s, memory_limit, tell
        self._lost: list[Job] = []

    def run(self, jobs: Iterable[Job], context: Context) -> Iterator[Outcome]:
        """Yield one outcome per job as they are finished.

        Raises
        ------
        RunError
            if the cluster cannot be reached, is lost, or its workers cannot work for this run.
        """
        # One thread a scan: Dask counts places by threads. On this machine cores beyond those are shared out.
        threads = max(1, usable_cores() // self.workers) if self.cluster.address == LOCAL else 1
        context = replace(context, threads=threads, output=context.output.resolve(), scratch=context.scratch.resolve())
        with (
            connected(self.cluster, context.scratch) as (client, tend),
            self._stations(client, context) as token,
        ):
            flights = Flights(client, token, self.cluster.told, self._patience_s(), self._tell, tend)
            self._note_places(flights)
            try:
                suspects: list[Job] = []
                yield from self._crowd(iter(jobs), context, flights, suspects)
                for job in suspects:
                    died: list[Job] = []
                    yield from self._crowd(iter([job]), context, flights, died)
                    for lost in died:
                        yield finish(failed_record(lost, context, _lost()), context)
            finally:
                flights.cancel()
        self._tidy(context)

    def _patience_s(self) -> float | None:
        return None if self.cluster.address == SLURM else PATIENCE_S

    def _note_places(self, flights: Flights) -> None:
        flights.places = flights.count_places()
        self.workers = max(self.workers, flights.places)
        if self.cluster.address != LOCAL:
            self._tell(f"{self.cluster.told} has {flights.places} places for scans.".capitalize())

    def _crowd(self, jobs: Iterator[Job], context: Context, flights: Flights, died: list[Job]) -> Iterator[Outcome]:
        """Keep the cluster filled with `jobs`; those whose worker died are put into `died`."""
        more = True
        while True:
            while more and not flights.full:
                job = next(jobs, None)
                if job is None:
                    more = False
                else:
                    flights.send(_errand(flights.token, job, context))
            if not len(flights):
                return
            errand, reply = flights.take()
            self.workers = max(1, flights.places)
            if reply.fault is not None:
                raise reply.fault
            if reply.died or reply.outcome is None:
                died.append(errand.job)
                self._lost.append(errand.job)
            else:
                yield _arrived(reply, reply.outcome, errand.job, context)

    @contextmanager
    def _stations(self, client: Client, context: Context) -> Iterator[str]:
        """Set up every worker for this run, and take it back at the end; yield the token of the run."""
        from brainsift.engine.cluster.station import Station

        token = secrets.token_hex(8)
        probe = context.output / f"{PROBE}{token}"
        write_atomic(probe, token, context.output)
        try:
            _check_software(client)
            station = Station(token, context, probe, self._timeout_s, self._memory_limit)
            client.register_plugin(station)
            try:
                yield token
            finally:
                # A scheduler that is gone has taken the stations along.
                with suppress(Exception):
                    if client.status == "running":
                        client.unregister_worker_plugin(station.name)
        finally:
            probe.unlink(missing_ok=True)

    def _tidy(self, context: Context) -> None:
        """Remove what killed processes had begun to write for scans that others have finished since."""
        for job in self._lost:
            record = record_path(context.output, job.ref.stem)
            for part in record.parent.glob(f".{escape(record.name.removesuffix(RECORD_SUFFIX))}_*{PART_SUFFIX}"):
                part.unlink(missing_ok=True)
        self._lost.clear()


def _errand(token: str, job: Job, context: Context) -> Errand:
    before = None
    if job.known_sha256 is not None:
        path = record_path(context.output, job.ref.stem)
        with suppress(OSError):
            before = Freight({path.relative_to(context.output).as_posix(): path.read_bytes()})
    return Errand(token, job, before)


def _arrived(reply: Reply, outcome: Outcome, job: Job, context: Context) -> Outcome:
    """Write what a worker sent that does not see OUTPUT, the record last."""
    if reply.files is None or outcome.record is None:
        return outcome
    if not outcome.refreshed:
        forget(job, context)
    unpack(reply.files, context.output)
    write_record(outcome.record, context.output)
    return outcome


def _check_software(client: Client) -> None:
    """Refuse workers of another version: their records would say what was not so."""
    from brainsift.engine.cluster.station import worker_software

    try:
        found = set(client.run(worker_software).values())
    except ModuleNotFoundError:
        raise not_installed() from None
    others = found - {SOFTWARE}
    if others:
        raise RunError(
            "worker_version",
            f"Dask workers have {', '.join(sorted(others))}, and this is {SOFTWARE}.",
            "Install the same version for all workers.",
        )


def _lost() -> Failure:
    return Failure(
        kind="worker_died",
        cause="The processes that worked on this scan were lost each time, the last time with no other scan beside it.",
        remedy="Look into the logs of the cluster (memory, time limits), then run again with --retry-failed.",
        stage="worker",
    )
