"""Cost against the number of records: database, tables, the study's page and the review queue, from simulated records.

    python benchmarks/bench_records.py [N ...]                       # default 100 1000 10000; 100000 takes minutes
    python benchmarks/bench_records.py 10000 100000 --server         # a PostgreSQL server for the time of it

No scan is read. For each N a fresh process stores N records as the engine makes them, one in ten of them referred to a
person, writes the study's tables and its page, and hands out scans of the review queue. Told are seconds (of the
processor on SQLite, of the clock with a server, which is a process of its own), milliseconds of the clock for one
scan of the queue with the next three (median of `HANDED`), and the peak of memory. Wanted of 100,000 records: tables
and page in 60 s and 1 GB, a page of the queue in 200 ms.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench_rerun import finished
from counting import peak_mb, table

from brainsift.cli.run import make_study_page
from brainsift.decide.decision import Action, Decision
from brainsift.review.desk import Desk
from brainsift.review.settings import ReviewSettings
from brainsift.scans.ref import ScanRef
from brainsift.store.database import Database
from brainsift.store.record import Record
from brainsift.store.reviews.people import Reviewer, add_reviewer
from brainsift.store.table import write_tables

ROOT = Path(__file__).parents[1]
SIZES = (100, 1_000, 10_000)
BATCH = 100
HANDED = 5
TASK = "integrity"
REFERRED = 10
"""One in so many."""


def ref_of(number: int) -> ScanRef:
    """A scan that nobody reads."""
    stem = f"sub-{number // 40:05}/anat/sub-{number // 40:05}_run-{number % 40}_T1w"
    return ScanRef(f"{stem}.nii.gz", stem, "nifti", (Path(f"{stem}.nii.gz"),), 10_000_000, number, f"{number // 40:05}")


def record_of(number: int) -> Record:
    """What the engine makes of it."""
    record = finished(ref_of(number), number)
    if number % REFERRED:
        return record
    doubt = Decision(task=TASK, action=Action.REFER, rule="benchmark", reason="")
    return record.model_copy(update={"decisions": (doubt,)})


def store(output: Path, url: str | None, n: int) -> None:
    """Put the records into the database, a transaction for each batch as a run does."""
    with Database(output, url) as database:
        for begin in range(0, n, BATCH):
            database.ingest([record_of(number) for number in range(begin, min(n, begin + BATCH))])


def tables(output: Path, url: str | None, n: int) -> None:
    """Write the study's tables."""
    with Database(output, url) as database:
        write_tables(database.records(), output)


def page(output: Path, url: str | None, n: int) -> None:
    """Write the study's page."""
    make_study_page(output, url)


PARTS: dict[str, Callable[[Path, str | None, int], None]] = {"store": store, "tables": tables, "page": page}


def queue_ms(output: Path, url: str | None) -> float:
    """Milliseconds until a person has the next scans; the first time, when what was read is passed by, left out."""
    times = []
    with Database(output, url, durable=True) as database:
        desk = Desk(database, ReviewSettings(output, url))
        for number in range(HANDED + 1):
            person = Reviewer(f"p{number}", "reviewer", faces=True)
            add_reviewer(database, person)
            start = time.perf_counter()
            desk.hand(person, TASK, "review", 4)
            times.append(1000 * (time.perf_counter() - start))
    return median(times[1:])


def one(n: int, url: str | None) -> None:
    """Measure one size in this process; prints the cells of its row."""
    clock = time.process_time if url is None else time.perf_counter
    with tempfile.TemporaryDirectory() as name:
        output, spent = Path(name), []
        for part in PARTS.values():
            start = clock()
            part(output, url, n)
            spent.append(clock() - start)
        waited = queue_ms(output, url)
    each = 1000 * sum(spent) / n
    print("\t".join([*(f"{part:.2f}" for part in spent), f"{each:.2f}", f"{waited:.0f}", f"{peak_mb():.0f}"]))


def main() -> None:
    """Measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--server", action="store_true")
    parser.add_argument("--one", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        one(options.sizes[0], options.one or None)
        return
    rows = []
    with ExitStack() as stack:
        url = ""
        if options.server:
            sys.path.insert(0, str(ROOT))
            from tests.store.postgres import WHY_SKIPPED, running_server, server_folder

            programs = server_folder()
            if programs is None:
                print(WHY_SKIPPED)
                return
            url = stack.enter_context(running_server(programs))
        for n in options.sizes:
            command = [sys.executable, __file__, str(n), "--one", url]
            told = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append((f"{n:,}", *told.stdout.strip().split("\t")))
    print(table(("records", *(f"{part} s" for part in PARTS), "ms a record", "queue ms", "peak MB"), rows))


if __name__ == "__main__":
    main()
