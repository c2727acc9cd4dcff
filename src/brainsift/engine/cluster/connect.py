"""Opening a Dask cluster: processes of this machine, jobs of Slurm, or a scheduler that is there already."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsift.engine.cluster.options import LOCAL, SLURM, ClusterOptions
from brainsift.engine.cluster.slurm import SlurmJobs, open_slurm
from brainsift.engine.errors import RunError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 30
"""How long to wait for a scheduler that should be there."""

START_S = 120
"""How long processes of this machine may take to start, on a busy one."""

NOISY = ("distributed", "dask_jobqueue", "asyncio", "tornado")
"""Packages whose logs repeat what a run tells."""

ANY_PORT_HERE = "127.0.0.1:0"
"""Of Dask's pages, which cannot be left out: for this machine alone, and in nobody's way."""

FOLDER = "dask"


@contextmanager
def connected(options: ClusterOptions, scratch: Path) -> Iterator[tuple[Client, Callable[[], None]]]:
    """Yield a client of the cluster, and what to call now and then to keep it up; what was started for this run ends
    with it.

    Parameters
    ----------
    options : which cluster.
    scratch : folder of this run, for the files of processes that it starts.

    Raises
    ------
    RunError
        if Dask or a package that it needs is not installed, or the cluster does not answer.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise missing_package(error) from None
    with ExitStack() as stack:
        stack.enter_context(_quiet_dask())
        try:
            target, tend = stack.enter_context(_cluster(options, scratch))
            client = stack.enter_context(Client(target, timeout=CONNECT_S, set_as_default=False, name="brainsift"))
        except ModuleNotFoundError as error:
            raise missing_package(error) from None
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            raise RunError(
                "dask_unreachable",
                f"There is no answer from {options.told} ({type(error).__name__}).",
                "Check that it runs, that its address is right and that no firewall lies between.",
            ) from error
        yield client, tend


def missing_package(error: ModuleNotFoundError) -> RunError:
    """What to install."""
    return RunError(
        "dask_missing",
        f"The package {error.name} is not installed, which a Dask cluster needs.",
        "Install the extra: pip install 'brainsift[dask]'.",
    )


@contextmanager
def _cluster(options: ClusterOptions, scratch: Path) -> Iterator[tuple[Any, Callable[[], None]]]:
    if options.address == LOCAL:
        with _local(scratch) as cluster:
            cluster.sync(_hold_sigint_back)
            cluster.scale(options.workers)
            cluster.wait_for_workers(options.workers, timeout=START_S)
            yield cluster, _nothing
    elif options.address == SLURM:
        with open_slurm(options, _folder(scratch), ANY_PORT_HERE, "critical") as cluster:
            yield cluster, SlurmJobs(cluster, options.workers).tend
    else:
        yield options.address, _nothing


def _nothing() -> None:
    """Clusters that keep themselves up."""


def _local(scratch: Path) -> Any:
    """Processes that listen on the loopback alone, and only to who holds the certificate that is made for this run:
    whoever may speak to a Dask scheduler may run programs in its name, and a machine may have other users."""
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        protocol="tls",
        security=True,
        dashboard_address=ANY_PORT_HERE,
        memory_limit=0,  # The processes of a station are watched by the pool.
        local_directory=str(_folder(scratch)),
        silence_logs=logging.CRITICAL,
    )


async def _hold_sigint_back() -> None:
    """Start workers with SIGINT blocked, which they inherit from the thread that starts them: Ctrl-C in a terminal goes
    to all processes, and this one alone decides what it means."""
    resource_tracker.ensure_running()  # Started with the first process otherwise, and takes the block away again.
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _folder(scratch: Path) -> Path:
    folder = (scratch / FOLDER).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _quiet_dask() -> Iterator[None]:
    """Keep Dask's own log off the console: what matters of it is told by the run itself."""
    # Each of its loggers has a level of its own, which that of their parent does not change.
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in NOISY]
    loggers = [logging.getLogger(name) for name in {*names, *NOISY}]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
