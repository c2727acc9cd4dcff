"""Options of `brainsift run` that spread the work over a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from brainsift.cli.exits import Stop

if TYPE_CHECKING:
    from brainsift.engine.executors import Executor
    from brainsift.engine.settings import RunOptions

DaskAddress = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Work on a Dask cluster: the address of its scheduler, such as tcp://host:8786, or `local` for processes "
        "of this machine. Needs the extra `dask`.",
    ),
]

SlurmJobs = Annotated[
    int | None,
    typer.Option("--slurm", metavar="JOBS", min=1, help="Submit so many jobs to Slurm and work in them, through Dask."),
]

SlurmOption = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm-option",
        metavar="NAME=VALUE",
        help="Of each job: queue, account, cores, memory, walltime, interface, …; give it several times.",
    ),
]


def make_executor(
    options: RunOptions, address: str | None, slurm_jobs: int | None, slurm_words: list[str] | None
) -> Executor | None:
    """The cluster that is asked for; None for this machine alone.

    Raises
    ------
    Stop
        if options contradict each other or the extra `dask` is not installed.
    """
    if address is None and slurm_jobs is None:
        if slurm_words:
            raise Stop("--slurm-option was given without --slurm.", "Add --slurm with the number of jobs.")
        return None
    if address is not None and slurm_jobs is not None:
        raise Stop("--dask and --slurm were given together.", "Leave one of them out: --slurm starts a cluster itself.")
    from brainsift.cli.console import notes
    from brainsift.cli.extras import need_extra

    need_extra("dask", "Work on a Dask cluster")
    from brainsift.engine.cluster.choose import choose_cluster

    def tell(sentence: str) -> None:
        notes().print(sentence, markup=False)

    return choose_cluster(options, address=address, slurm_jobs=slurm_jobs, slurm_words=slurm_words or (), tell=tell)
