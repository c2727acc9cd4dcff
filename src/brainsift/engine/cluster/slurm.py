"""Jobs of Slurm as a Dask cluster, as many as asked for as long as the run lasts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from brainsift.engine.cluster.options import ClusterOptions

LOGS = "logs"


class SlurmJobs:
    """Keeps a number of jobs in the queue.

    dask-jobqueue takes a job for alive as long as it is not told otherwise. One that had workers and has none any more
    has come to its time limit or was killed: it is taken off, and another is submitted.
    """

    def __init__(self, cluster: Any, jobs: int) -> None:
        self._cluster, self._jobs = cluster, jobs
        self._met = _names_met(cluster)
        cluster.scale(jobs=jobs)

    def tend(self) -> None:
        """Follow up jobs that have ended."""
        self._cluster.sync(self._follow_up)

    async def _follow_up(self) -> None:
        # A job's workers carry its name, with a number behind it where there are several.
        present = {str(worker.name) for worker in self._cluster.scheduler.workers.values()}
        gone = self._met - present
        ended = [
            job
            for job in self._cluster.worker_spec
            if any(_of_job(name, str(job)) for name in gone) and not any(_of_job(name, str(job)) for name in present)
        ]
        for job in ended:
            del self._cluster.worker_spec[job]
            # The next job may be given the same name.
            self._met.difference_update([name for name in gone if _of_job(name, str(job))])
        # A new job under the name of one that is not taken off yet would be taken for it: one after the other.
        left = len(self._cluster.worker_spec)
        if ended:
            self._cluster.scale(jobs=left)
        elif left < self._jobs and set(self._cluster.workers) <= set(self._cluster.worker_spec):
            self._cluster.scale(jobs=self._jobs)


def _names_met(cluster: Any) -> set[str]:
    """Names of all workers that have ever come, filled by the scheduler: one may come and go between two looks."""
    from distributed import SchedulerPlugin

    names: set[str] = set()

    class Meeting(SchedulerPlugin):  # type: ignore[misc]
        def add_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
            names.add(str(scheduler.workers[worker].name))

    async def add() -> None:
        cluster.scheduler.add_plugin(Meeting(), name="brainsift-met")

    cluster.sync(add)
    return names


def _of_job(worker: str, job: str) -> bool:
    return worker == job or worker.rpartition("-")[0] == job


def open_slurm(options: ClusterOptions, folder: Path, pages: str, silence: str) -> Any:
    """A cluster without jobs yet; a context manager.

    Parameters
    ----------
    options : with keywords of `dask_jobqueue.SLURMCluster`.
    folder : on a file system that the compute nodes share, for certificates, logs and the workers' own files.
    pages : address of Dask's pages; silence : level of its log.
    """
    from dask_jobqueue import SLURMCluster

    logs = folder / LOGS
    logs.mkdir(exist_ok=True)
    given = {"log_directory": str(logs), "local_directory": str(folder), **options.slurm}
    return SLURMCluster(
        security=_certified(folder),
        protocol="tls",
        scheduler_options={"dashboard_address": pages},
        silence_logs=silence,
        **given,
    )


def _certified(folder: Path) -> Any:
    """A key and a certificate made for this run, in files that its owner alone can read; jobs are given their paths."""
    from distributed import Security

    made = Security.temporary()
    texts = {"ca": made.tls_ca_file, "cert": made.tls_worker_cert, "key": made.tls_worker_key}
    paths = {name: str(folder / f"{name}.pem") for name in texts}
    for name, text in texts.items():
        with open(paths[name], "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)
    roles = {
        f"tls_{role}_{kind}": paths[kind] for role in ("scheduler", "worker", "client") for kind in ("cert", "key")
    }
    return Security(require_encryption=True, tls_ca_file=paths["ca"], **roles)
