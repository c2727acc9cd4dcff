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
        self._seen: set[str] = set()
        cluster.scale(jobs=jobs)

    def tend(self) -> None:
        """Follow up jobs that have ended."""
        self._cluster.sync(self._follow_up)

    async def _follow_up(self) -> None:
        # A job's workers carry its name, with a number behind it where there are several.
        present = {str(worker.name) for worker in self._cluster.scheduler.workers.values()}
        alive = {job for job in self._cluster.worker_spec if any(_of_job(name, str(job)) for name in present)}
        ended = [job for job in self._cluster.worker_spec if job in self._seen and job not in alive]
        self._seen |= alive
        for job in ended:
            del self._cluster.worker_spec[job]
        if ended:
            self._cluster.scale(jobs=self._jobs)


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
