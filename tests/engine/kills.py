"""Kills processes of a run at random moments, and looks at what is left when it is run again."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from brainsift.store.record_io import read_record, record_files
from brainsift.store.table import TABLE_NAME, read_table
from tests.engine.driver import finish, start, wait_until

PATIENCE_S = 300
"""For the next record to appear: starting a worker takes seconds, on a busy machine many."""


def disturbed(source: Path, output: Path, worker_kills: int, run_kills: int, seed: int = 0, nprocs: int = 2) -> int:
    """Sift `source` while workers, and then whole runs, are killed (SIGKILL) after random numbers of records; run it
    once more to the end and return how many processes were killed."""
    rng = random.Random(seed)
    killed = 0
    for kills in _shares(worker_kills, run_kills):
        process = start(source, output, nprocs)
        for _ in range(kills):
            _wait_for_more(output, rng, process)
            killed += _kill_a_worker(process.pid, rng)
        _wait_for_more(output, rng, process)
        killed += process.poll() is None
        process.kill()
        process.communicate(timeout=PATIENCE_S)
    finish(start(source, output, nprocs))
    return killed


def _shares(worker_kills: int, run_kills: int) -> list[int]:
    """Worker kills in each run that is killed itself."""
    return [worker_kills * (n + 1) // run_kills - worker_kills * n // run_kills for n in range(run_kills)]


def _wait_for_more(output: Path, rng: random.Random, process: Any) -> None:
    wanted = len(list(record_files(output))) + rng.randint(1, 4)
    wait_until(lambda: len(list(record_files(output))) >= wanted or process.poll() is not None, PATIENCE_S)
    time.sleep(rng.random() * 0.3)


def _kill_a_worker(pid: int, rng: random.Random) -> int:
    with suppress(psutil.Error):
        workers = [one for one in psutil.Process(pid).children() if any("spawn_main" in w for w in one.cmdline())]
        if workers:
            rng.choice(workers).kill()
            return 1
    return 0


def answers(output: Path) -> dict[str, dict[str, Any]]:
    """Scan → all that its record says, apart from how long things took."""
    told = {}
    for path in record_files(output):
        record = read_record(path).model_dump(mode="json", exclude={"seconds", "stage_seconds"})
        record["findings"] = [{**finding, "seconds": 0} for finding in record["findings"]]
        told[record["scan"]] = record
    return told


def rows(output: Path) -> Counter[str]:
    """Scan → how many rows the table has of it."""
    return Counter(row["scan"] for row in read_table(output / TABLE_NAME))
