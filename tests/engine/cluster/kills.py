"""Killing processes of a cluster in the middle of a run, as a machine does that fails or lacks memory."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import psutil

from brainsift.store.record_io import record_files
from brainsift.store.table import TABLE_NAME, read_table
from tests.engine.driver import wait_until

WAIT_S = 600.0
"""Far above what anything here takes."""


def spawned(parent: psutil.Process) -> list[psutil.Process]:
    """Processes that Python's multiprocessing started, its resource tracker left out."""
    try:
        return [one for one in parent.children() if "spawn_main" in " ".join(one.cmdline())]
    except psutil.Error:
        return []


def dask_workers(run: psutil.Process) -> list[psutil.Process]:
    """Dask workers of a local cluster that process `run` started."""
    return spawned(run)


def scan_processes(run: psutil.Process) -> list[psutil.Process]:
    """Processes that do scans below those workers."""
    return [one for worker in dask_workers(run) for one in spawned(worker)]


KINDS: dict[str, Callable[[psutil.Process], list[psutil.Process]]] = {
    "worker": dask_workers,
    "scan process": scan_processes,
}


def kill_during(pid: int, output: Path, scans: int, kills: int, seed: int = 0) -> list[str]:
    """Kill -9 so many processes of a run, spread over its scans at random, and say of which kind they were.

    Moments are drawn as numbers of finished scans, so that a slow machine is treated as a fast one. Workers and
    processes of scans take turns.
    """
    rng = random.Random(seed)
    moments = sorted(rng.sample(range(1, max(kills + 1, scans * 9 // 10)), kills))
    run, killed = psutil.Process(pid), list[str]()
    for number, moment in enumerate(moments):
        kind = list(KINDS)[number % len(KINDS)]
        wait_until(lambda moment=moment: _finished(output) >= moment or not run.is_running(), WAIT_S)  # type: ignore[misc]
        wait_until(lambda kind=kind: KINDS[kind](run) != [] or not run.is_running(), WAIT_S)  # type: ignore[misc]
        for victim in rng.sample(KINDS[kind](run), k=1) if run.is_running() else []:
            victim.kill()
            killed.append(kind)
    return killed


def _finished(output: Path) -> int:
    return len(list(record_files(output))) if output.is_dir() else 0


def answers(output: Path) -> dict[str, dict[str, str]]:
    """Scan → its row of the study table but for the time it took. Raises where a scan has two rows."""
    rows = list(read_table(output / TABLE_NAME))
    found = {row["scan"]: {**row, "seconds": ""} for row in rows}
    if len(found) != len(rows):
        raise AssertionError("a scan has two rows")
    return found
