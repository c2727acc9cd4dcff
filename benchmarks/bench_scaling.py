"""Two workers against one, on the same scans and in turns, so that a busy machine troubles both alike.

    python benchmarks/bench_scaling.py [FOLDER] [--scans 12] [--rounds 2]

Wall time says what two workers gain on the machine as it is now; processor time what they cost: with as much to do, two
should take as many seconds of it as one. Both are given as ratios of two workers to one.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from time import perf_counter

from bench_stages import chosen
from counting import DATA, cpu_seconds

from brainsift.cli.run import write_page
from brainsift.engine.pool import ProcessPool
from brainsift.engine.settings import RunSettings
from brainsift.engine.study import run_study
from brainsift.scans.ref import ScanRef
from brainsift.tasks.registry import REGISTRY


def measure(folder: Path, refs: list[ScanRef], workers: int) -> tuple[float, float]:
    """Wall and processor seconds of a run; starting the workers is in both."""

    def these(root: Path, participants: tuple[str, ...]) -> Iterable[ScanRef]:
        return refs

    with tempfile.TemporaryDirectory() as output:
        cpu, wall = cpu_seconds(), perf_counter()
        summary = run_study(
            folder,
            Path(output),
            RunSettings(tasks=tuple(REGISTRY)),
            after_scan=write_page,
            executor=ProcessPool(workers),
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
    options = parser.parse_args()
    refs = chosen(options.folder, options.scans) if options.folder.is_dir() else []
    if not refs:
        print(f"no scans in {options.folder}: name a folder of your own")
        return
    walls: dict[int, list[float]] = defaultdict(list)
    cpus: dict[int, list[float]] = defaultdict(list)
    for _ in range(options.rounds):
        for workers in (1, 2):
            wall, cpu = measure(options.folder, refs, workers)
            walls[workers].append(wall)
            cpus[workers].append(cpu)
            print(f"{workers} worker(s): {len(refs)} scans in {wall:.1f} s, {cpu:.1f} s of processor", flush=True)
    gains = [one / two for one, two in zip(walls[1], walls[2], strict=True)]
    costs = [two / one for one, two in zip(cpus[1], cpus[2], strict=True)]
    told = ", ".join(f"{gain:.2f}" for gain in gains)
    print(f"two workers are {median(gains):.2f} times as fast as one (rounds: {told}; goal 1.7 on idle cores)")
    print(f"and take {median(costs):.2f} times the processor time")


if __name__ == "__main__":
    main()
