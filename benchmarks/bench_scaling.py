"""Two workers against one, on the same scans and in turns, so that a busy machine troubles both alike.

    python benchmarks/bench_scaling.py [FOLDER] [--scans 12] [--rounds 2] [--tasks defacing,quality]
    python benchmarks/bench_scaling.py --dask        # workers of a Dask cluster instead of processes of the run

A single process of a run uses all cores, a worker of a cluster one: the first says what `--workers 2` gains on this
machine, the second what a second worker gains a site. Wall time says what two gain on the machine as it is now;
processor time what they cost (not seen of Dask's workers, which outlive the run). Both are given as ratios of two
workers to one.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from bench_stages import chosen
from counting import DATA, cpu_seconds

from brainsift.cli.run import write_page
from brainsift.engine.cluster.executor import DaskExecutor
from brainsift.engine.cluster.options import ClusterOptions
from brainsift.engine.executors import Executor
from brainsift.engine.pool import ProcessPool
from brainsift.engine.settings import RunSettings
from brainsift.engine.study import run_study
from brainsift.scans.ref import ScanRef
from brainsift.tasks.registry import REGISTRY


@contextmanager
def processes(workers: int, dask: bool) -> Iterator[Executor]:
    """What does the scans: processes of the run, or of a Dask cluster on this machine that has one core for each."""
    if not dask:
        yield ProcessPool(workers)
        return
    from distributed import LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster:
        yield DaskExecutor(ClusterOptions(cluster.scheduler_address))


def measure(folder: Path, refs: list[ScanRef], workers: int, tasks: tuple[str, ...], dask: bool) -> tuple[float, float]:
    """Wall and processor seconds of a run; starting the workers is in both, but for those of Dask."""

    def these(root: Path, participants: tuple[str, ...]) -> Iterable[ScanRef]:
        return refs

    with tempfile.TemporaryDirectory() as output, processes(workers, dask) as executor:
        cpu, wall = cpu_seconds(), perf_counter()
        summary = run_study(
            folder,
            Path(output),
            RunSettings(tasks=tasks),
            after_scan=write_page,
            executor=executor,
            catalog=these,
        )
        if summary.counts.done != len(refs):
            raise RuntimeError(f"expected {len(refs)} scans done, got {summary.counts}")
        return perf_counter() - wall, cpu_seconds() - cpu


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=DATA / "scans")
    parser.add_argument("--scans", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tasks", default=",".join(REGISTRY), help="comma-separated")
    parser.add_argument("--dask", action="store_true")
    options = parser.parse_args()
    refs = chosen(options.folder, options.scans) if options.folder.is_dir() else []
    if not refs:
        print(f"no scans in {options.folder}: name a folder of your own")
        return
    walls: dict[int, list[float]] = defaultdict(list)
    cpus: dict[int, list[float]] = defaultdict(list)
    for _ in range(options.rounds):
        for workers in (1, 2):
            wall, cpu = measure(options.folder, refs, workers, tuple(options.tasks.split(",")), options.dask)
            walls[workers].append(wall)
            cpus[workers].append(cpu)
            told = "" if options.dask else f", {cpu:.1f} s of processor"
            print(f"{workers} worker(s): {len(refs)} scans in {wall:.1f} s{told}", flush=True)
    gains = [one / two for one, two in zip(walls[1], walls[2], strict=True)]
    costs = [two / one for one, two in zip(cpus[1], cpus[2], strict=True)]
    told = ", ".join(f"{gain:.2f}" for gain in gains)
    print(f"two workers are {median(gains):.2f} times as fast as one (rounds: {told}; goal 1.7 on idle cores)")
    if not options.dask:
        print(f"and take {median(costs):.2f} times the processor time")


if __name__ == "__main__":
    main()
