"""Cost against the number of records: database, tables and the study's page, from simulated records.

    python benchmarks/bench_records.py [N ...]      # default 100 1000 10000; 100000 takes minutes

No scan is read. For each N a fresh process stores N records as the engine makes them, writes the study's tables from
the database and then its page, and says what that took: seconds of the processor, a record each in milliseconds, and
the peak of memory. Wanted: tables and page of 100,000 records in 60 s and 1 GB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from bench_rerun import finished
from counting import peak_mb, table

from brainsift.cli.run import make_study_page
from brainsift.scans.ref import ScanRef
from brainsift.store.database import Database
from brainsift.store.table import write_tables

SIZES = (100, 1_000, 10_000)
BATCH = 100


def ref_of(number: int) -> ScanRef:
    """A scan that nobody reads."""
    stem = f"sub-{number // 40:05}/anat/sub-{number // 40:05}_run-{number % 40}_T1w"
    return ScanRef(f"{stem}.nii.gz", stem, "nifti", (Path(f"{stem}.nii.gz"),), 10_000_000, number, f"{number // 40:05}")


def one(n: int) -> None:
    """Measure one size in this process; prints the cells of its row."""
    import time

    with tempfile.TemporaryDirectory() as name:
        output = Path(name)
        start = time.process_time()
        with Database(output) as database:
            for begin in range(0, n, BATCH):
                database.ingest([finished(ref_of(number), number) for number in range(begin, min(n, begin + BATCH))])
            stored = time.process_time()
            write_tables(database.records(), output)
        tables = time.process_time()
        make_study_page(output, None)
        page = time.process_time()
    spent = (stored - start, tables - stored, page - tables)
    print("\t".join([*(f"{part:.2f}" for part in spent), f"{1000 * sum(spent) / n:.2f}", f"{peak_mb():.0f}"]))


def main() -> None:
    """Measure each size in a process of its own."""
    if sys.argv[1:2] == ["--one"]:
        one(int(sys.argv[2]))
        return
    rows = []
    for n in [int(word) for word in sys.argv[1:]] or SIZES:
        told = subprocess.run([sys.executable, __file__, "--one", str(n)], check=True, capture_output=True, text=True)
        rows.append((f"{n:,}", *told.stdout.strip().split("\t")))
    print(table(("records", "store s", "tables s", "page s", "ms a record", "peak MB"), rows))


if __name__ == "__main__":
    main()
