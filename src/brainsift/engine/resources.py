"""How much memory and how many cores this process may use, container limits included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CGROUP_V2 = Path("/sys/fs/cgroup")
CGROUP_V1_MEMORY = Path("/sys/fs/cgroup/memory")

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Read by the libraries behind NumPy and SciPy when they are loaded, and never again."""

RESERVED_BYTES = 512 * 1024**2
"""Left for this process, the database and the rest of the machine."""


def suggest_nprocs(available_bytes: int, per_worker: int, cores: int) -> int:
    """Processes that fit both the memory and the cores, at least one.

    Parameters
    ----------
    available_bytes : memory that may still be taken.
    per_worker : bytes one worker takes.
    cores : cores that may be used.
    """
    return max(1, min(cores, (available_bytes - RESERVED_BYTES) // per_worker))


def available_bytes(cgroup: Path = CGROUP_V2, cgroup_v1: Path = CGROUP_V1_MEMORY) -> int:
    """Memory that may still be taken: what the machine has, or what the container's limit leaves, whichever is less."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit_file, used_file in (
        (cgroup / "memory.max", cgroup / "memory.current"),
        (cgroup_v1 / "memory.limit_in_bytes", cgroup_v1 / "memory.usage_in_bytes"),
    ):
        limit, used = _number(limit_file), _number(used_file)
        if limit is not None and used is not None:
            free = min(free, max(0, limit - used))
    return free


@contextmanager
def library_threads(threads: int | None) -> Iterator[None]:
    """Let processes that are started in this block compute matrix products on so many threads; None: as they like.

    Each worker would else start one for every core, and they wait for one another by spinning. What the user has set
    is left as it is.
    """
    wanted = {} if threads is None else {name: str(threads) for name in THREAD_VARIABLES if name not in os.environ}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in wanted:
            os.environ.pop(name, None)


def usable_cores(cgroup: Path = CGROUP_V2) -> int:
    """Cores by affinity and by the container's quota, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
        cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return max(1, cores)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # ValueError: the kernel writes "max" where there is no limit.
        return None
