"""Seconds and peak memory by stage and task, on real scans.

    python benchmarks/bench_stages.py [FOLDER] [--scans 8] [--task quality --task defacing]

Scans of FOLDER (default: shared data), spread over the sizes of their files, go through the whole unit of work in this
process: reading, conforming, the stages of the anatomy pass, every task, pictures, page, record. Seconds are of the
processor (all threads), the median of the scans that had the stage; memory is the largest peak of the process in a
stage, the libraries and networks (the line `at rest`) among it. The floor is what no program could leave out: reading,
and the arithmetic of the networks.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from array import array
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from counting import DATA, PeakClock, peak_mb, reset_peak, table

from brainsift.cli.run import write_page
from brainsift.engine.job import PAGE
from brainsift.engine.look_ahead import spread_over
from brainsift.engine.resources import usable_cores
from brainsift.engine.scan_unit import run_scan
from brainsift.engine.settings import RunSettings
from brainsift.scans.catalog import catalog
from brainsift.scans.ref import ScanRef
from brainsift.store.record_io import write_record
from brainsift.tasks.registry import REGISTRY

Spent = dict[str, list[float]]


def chosen(folder: Path, count: int) -> list[ScanRef]:
    """Scans of a folder, spread over sizes."""
    refs = [ref for ref in catalog(folder) if ref.problem is None]
    if len(refs) <= count:
        return refs
    return [refs[place] for place in spread_over(array("q", [ref.size for ref in refs]), count)]


@contextmanager
def networks_counted(spent: list[float]) -> Iterator[None]:
    """Count the processor seconds that networks take in the block."""
    import onnxruntime

    run = onnxruntime.InferenceSession.run

    def counted(self: Any, *words: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return run(self, *words, **named)
        finally:
            spent[-1] += time.process_time() - start

    onnxruntime.InferenceSession.run = counted
    try:
        yield
    finally:
        onnxruntime.InferenceSession.run = run


def do(ref: ScanRef, settings: RunSettings, output: Path) -> PeakClock:
    """One scan from file to page, stage by stage."""
    clock = PeakClock()
    with tempfile.TemporaryDirectory() as scratch:
        record = run_scan(ref, settings, output=output, scratch=Path(scratch), clock=clock)
    with clock.at(PAGE):
        write_page(record, output)
    with clock.at("record"):
        write_record(record, output)
    if record.failure is not None:
        print(f"{ref.scan}: {record.failure.cause}")
    return clock


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=DATA / "scans")
    parser.add_argument("--scans", type=int, default=8)
    parser.add_argument("--task", action="append", choices=tuple(REGISTRY), help="all if not given")
    options = parser.parse_args()
    refs = chosen(options.folder, options.scans) if options.folder.is_dir() else []
    if not refs:
        print(f"no scans in {options.folder}: name a folder of your own")
        return
    settings = RunSettings(tasks=tuple(options.task or REGISTRY))
    cpu: Spent = defaultdict(list)
    peak: Spent = defaultdict(list)
    totals: list[float] = []
    networks = [0.0]
    with tempfile.TemporaryDirectory() as folder, networks_counted(networks):
        do(refs[0], settings, Path(folder))  # opens networks and imports libraries
        reset_peak()
        rest, networks[:] = peak_mb(), [0.0]
        for ref in refs:
            clock = do(ref, settings, Path(folder))
            totals.append(sum(spent for name, spent in clock.cpu.items() if "." not in name))
            for name, spent in clock.cpu.items():
                cpu[name].append(spent)
            for name, most in clock.peak.items():
                peak[name].append(most)
    whole = sum(totals)
    rows = [("at rest", "", "", f"{rest:.0f}", "")]
    for name, spent in cpu.items():
        most = f"{max(peak[name]):.0f}" if name in peak else ""
        shown = "  " + name.partition(".")[2] if "." in name else name
        rows.append((shown, f"{statistics.median(spent):.3f}", f"{sum(spent) / whole:.0%}", most, str(len(spent))))
    print(table(("stage", "median s of processor", "share", "peak MB", "n"), rows))
    n = len(totals)
    middle, spread = statistics.median(totals), statistics.quantiles(totals, n=4) if n > 1 else [totals[0]] * 3
    print(f"a scan: median {middle:.2f} s of processor (quartiles {spread[0]:.2f} to {spread[2]:.2f}, n = {n})")
    print(f"scans an hour on {usable_cores()} cores that do nothing else: {3600 * usable_cores() * n / whole:.0f}")
    floor = sum(cpu["read"]) + networks[0]
    print(f"floor, reading and the networks' arithmetic: {floor / n:.2f} s a scan, {floor / whole:.0%} of the whole")


if __name__ == "__main__":
    main()
