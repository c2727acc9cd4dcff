"""The executor that a user asked for by its words; imports nothing of Dask."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brainsift.engine.cluster.executor import DaskExecutor
from brainsift.engine.cluster.options import LOCAL, SLURM, ClusterOptions, parse_slurm
from brainsift.engine.limits import share_of_memory
from brainsift.engine.resources import available_bytes, suggest_nprocs, usable_cores
from brainsift.engine.settings import DEFAULT_TIMEOUT_S, RunOptions


def choose_cluster(
    options: RunOptions,
    *,
    address: str | None = None,
    slurm_jobs: int | None = None,
    slurm_words: Sequence[str] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> DaskExecutor | None:
    """The Dask executor for these words; None where they ask for none. Nothing is connected to yet.

    Parameters
    ----------
    options : of the run; processes, memory and time of a scan are kept to here too.
    address : ``local`` or of a scheduler.
    slurm_jobs : jobs to submit, with `slurm_words` (`parse_slurm`).
    tell : called with sentences about the cluster.

    Raises
    ------
    RunError
        if the address or a word is not understood.
    """
    timeout_s = options.timeout_s or DEFAULT_TIMEOUT_S
    if slurm_jobs is not None:
        cluster = ClusterOptions(SLURM, slurm_jobs, parse_slurm(slurm_words))
        return DaskExecutor(cluster, timeout_s, options.memory_limit, tell)
    if address is None:
        return None
    if address != LOCAL:
        return DaskExecutor(ClusterOptions(address), timeout_s, options.memory_limit, tell)
    available = available_bytes()
    fitting = suggest_nprocs(available, options.memory_limit or options.memory_per_worker, usable_cores())
    workers = options.nprocs or fitting
    limit = options.memory_limit or share_of_memory(available, workers, options.memory_per_worker)
    return DaskExecutor(ClusterOptions(LOCAL, workers), timeout_s, limit, tell)
