"""Hostile inputs through the real batch: each has its row, nothing crashes, hangs or takes more memory than it may.

Run: python benchmarks/fuzz_inputs.py --count 50000 --folder /tmp/fuzz      (goes on where it stopped)

Inputs are made from numbers (`tests/fuzz/mutate.py`), written in shards, and sifted by `brainsift run` in a process of
its own. Each shard leaves a line in `shards.jsonl`; inputs that show a defect are kept in `defects/`. With `--readers`
the inputs go through catalog and readers alone, a thousand times as many in the same time.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fuzz.mutate import Hostile, hostile  # noqa: E402
from tests.fuzz.seeds import Seed, seeds  # noqa: E402

HANG_S = 30.0
MEMORY = 2 << 30
BATCH_LIMIT_S = 6 * 3600
DEFECTS = ("internal_error", "worker_died", "timeout", "dicom_timeout", "out_of_memory", "unwritable_record")
"""Kinds of failure that say that the program, and not only the input, has a fault; `out_of_memory` that a limit was met
where a refusal should have come first."""

COMMAND = "from brainsift.cli.main import main; main()"


def main() -> int:
    """Run what is missing and print the sum; 1 if a defect was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=50_000, help="inputs in all")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--shard", type=int, default=1000, help="inputs in one run")
    parser.add_argument("--folder", type=Path, required=True, help="for inputs, outputs and results")
    parser.add_argument("--task", action="append", help="tasks of the run; all if not given")
    parser.add_argument("--nprocs", type=int, default=2)
    parser.add_argument("--readers", action="store_true", help="catalog and readers alone")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no shard after this time")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    journal = given.folder / ("readers.jsonl" if given.readers else "shards.jsonl")
    done = {entry["first"] for entry in entries(journal)}
    start, made = time.monotonic(), seeds()
    for first in range(given.first, given.first + given.count, given.shard):
        if first in done or time.monotonic() - start > 60 * given.minutes:
            continue
        numbers = range(first, min(first + given.shard, given.first + given.count))
        entry = read_shard(numbers, made, given.folder) if given.readers else batch_shard(numbers, made, given)
        with journal.open("a") as file:
            file.write(json.dumps({"first": first, "count": len(numbers), **entry}) + "\n")
        tell(entry, first, len(numbers))
    return summary(list(entries(journal)))


def entries(journal: Path) -> Iterator[dict[str, Any]]:
    """Lines of the journal; one that a kill cut short is left out."""
    if journal.exists():
        for line in journal.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def slowdown() -> float:
    """How much slower than its processor time a loop runs here: 1 on an idle machine. Limits are stretched by it."""
    wall, own = time.perf_counter(), time.process_time()
    while time.process_time() - own < 0.2:
        pass
    return max(1.0, (time.perf_counter() - wall) / (time.process_time() - own))


def batch_shard(numbers: range, made: list[Seed], given: argparse.Namespace) -> dict[str, Any]:
    """Write inputs, sift them, and compare what went in with what came out."""
    source, output = given.folder / "in", given.folder / "out"
    for folder in (source, output):
        shutil.rmtree(folder, ignore_errors=True)
    inputs = [hostile(made, number) for number in numbers]
    for one in inputs:
        one.write(source)
    stretched = HANG_S * slowdown()
    options = ["--nprocs", str(given.nprocs), "--time-limit", f"{stretched:.0f}", "--memory-limit", f"{MEMORY >> 20}M"]
    options += [word for task in given.task or () for word in ("--task", task)]
    start = time.monotonic()
    command = [sys.executable, "-c", COMMAND, "run", str(source), str(output), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=BATCH_LIMIT_S, check=False)
    entry: dict[str, Any] = {"seconds": round(time.monotonic() - start, 1), "limit_s": round(stretched)}
    entry["peak_mb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    faults = [] if ended.returncode in (0, 1) else [f"exit {ended.returncode}: {ended.stderr[-2000:]}"]
    if not faults:
        checked, counted = compare(source, output)
        faults += checked
        entry |= counted
    entry["faults"] = faults
    keep_defects(inputs, faults, output, given.folder / "defects")
    for folder in (source, output):
        shutil.rmtree(folder, ignore_errors=True)
    return entry


def compare(source: Path, output: Path) -> tuple[list[str], dict[str, Any]]:
    """Faults, and counts by kind: exactly one row for each scan of the catalog, each with cause and remedy."""
    from brainsift.scans.catalog import catalog
    from brainsift.store.record_io import read_record, record_files
    from brainsift.store.table import FAILURES_NAME, TABLE_NAME, read_table
    from brainsift.tsv_text import from_tsv_cell

    listed = catalog(source)
    expected = Counter(ref.scan for ref in listed)
    rows = list(read_table(output / TABLE_NAME))
    found = Counter(from_tsv_cell(row["scan"]) for row in rows)
    faults = [f"no row: {scan!r}" for scan in expected - found] + [
        f"row too many: {scan!r}" for scan in found - expected
    ]
    failures = list(read_table(output / FAILURES_NAME))
    for row in failures:
        if row["kind"] in DEFECTS or not (row["cause"] and row["remedy"]):
            faults.append(f"{row['kind']} at {row['stage']}: {row['scan']!r}: {row['cause']}")
    faults += [f"failed without a line in failures.tsv: {n}" for n in [_failed(rows) - len(failures)] if n]
    slowest = max((read_record(path).seconds for path in record_files(output)), default=0.0)
    inputs = sum(1 for _ in source.iterdir())
    counted = {
        "rows": len(rows),
        "done": sum(row["status"] == "done" for row in rows),
        "kinds": dict(Counter(row["kind"] for row in failures)),
        "not_images": listed.counts.not_images + listed.counts.ignored + listed.counts.hidden,
        "inputs": inputs,
        "slowest_s": round(slowest, 1),
    }
    return faults, counted


def _failed(rows: list[dict[str, str]]) -> int:
    return sum(row["status"] == "failed" for row in rows)


def read_shard(numbers: range, made: list[Seed], folder: Path) -> dict[str, Any]:
    """Catalog and readers on each input by itself, under the limits of a worker."""
    from brainsift.engine.limits import limit_own_memory
    from brainsift.scans.catalog import catalog
    from brainsift.scans.errors import ScanError
    from brainsift.scans.quiet import quiet
    from brainsift.scans.read import read

    limit_own_memory(MEMORY)
    start, own = time.monotonic(), time.process_time()
    stretched = HANG_S * slowdown()
    kinds: Counter[str] = Counter()
    faults: list[str] = []
    slowest = 0.0
    for number in numbers:
        one = hostile(made, number)
        source = folder / "one"
        shutil.rmtree(source, ignore_errors=True)
        one.write(source)
        before, began = len(faults), time.process_time()
        try:
            with alarm(stretched), quiet():
                for ref in catalog(source):
                    try:
                        read(ref, memory_limit_bytes=MEMORY // 2)
                        kinds["ok"] += 1
                    except ScanError as error:
                        kinds[error.kind] += 1
        except Exception as error:
            faults.append(f"{type(error).__name__}: {error}: input {number} of {one.seed}, {one.changes}")
        slowest = max(slowest, time.process_time() - began)
        if len(faults) > before:
            one.write(folder / "defects" / f"{number:06d}")
    spent = round(time.process_time() - own, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {
        "seconds": round(time.monotonic() - start, 1),
        "cpu_s": spent,
        "slowest_s": round(slowest, 2),
        "peak_mb": peak,
        "kinds": dict(kinds),
        "rows": sum(kinds.values()),
        "faults": faults,
    }


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """A `TimeoutError` where the body takes longer."""

    def ring(number: int, frame: object) -> None:
        raise TimeoutError(f"not finished after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def keep_defects(inputs: list[Hostile], faults: list[str], output: Path, folder: Path) -> None:
    """Keep the inputs that a fault names, and the logs that say where in the code it was."""
    for one in inputs:
        if any(f"{one.number:06d}" in fault for fault in faults):
            one.write(folder / f"{one.number:06d}")
    for log in output.rglob("*traceback_log.txt") if faults else ():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, folder / log.name[-200:])


def tell(entry: dict[str, Any], first: int, count: int) -> None:
    """A line for one shard, and one for each fault."""
    print(
        f"{first}-{first + count - 1}: {entry.get('rows')} rows in {entry['seconds']} s, {entry.get('kinds')}",
        flush=True,
    )
    for fault in entry["faults"]:
        print(f"  FAULT {fault}", flush=True)


def summary(all_entries: list[dict[str, Any]]) -> int:
    """Print the sum over all shards; 1 if there was a fault."""
    kinds: Counter[str] = Counter()
    for entry in all_entries:
        kinds.update(entry.get("kinds", {}))
    faults = sum(len(entry["faults"]) for entry in all_entries)
    print(
        f"{sum(entry['count'] for entry in all_entries)} inputs, "
        f"{sum(entry.get('rows', 0) for entry in all_entries)} rows, "
        f"{sum(entry.get('done', 0) for entry in all_entries)} done, slowest "
        f"{max((entry.get('slowest_s', 0) for entry in all_entries), default=0)} s, peak "
        f"{max((entry['peak_mb'] for entry in all_entries), default=0)} MB, {faults} faults"
    )
    print(json.dumps(dict(kinds.most_common())))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
