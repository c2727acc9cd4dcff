"""What a reviewer waits for, and what the study waits for: the review server on a large study.

    python benchmarks/bench_review.py [N ...]

For each N a study of N scans is stored (nine in ten likely passes, the rest referred), three quarters of which were
read before. Timed is the work of the server without the network of this machine, which adds about a millisecond: taking
a sheet of 20, one decision with the next scan taken, counting for the progress bars, and checking the trail.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from sqlalchemy import text

from brainsift.decide.decision import Action, Decision
from brainsift.review.deciding import Answer, Sign, decide
from brainsift.review.desk import Desk
from brainsift.review.progress import Counts
from brainsift.review.settings import ReviewSettings
from brainsift.store.database import Database
from brainsift.store.record import InputFacts, Record
from brainsift.store.reviews.chain import check_trail
from brainsift.store.reviews.people import Reviewer, add_reviewer
from brainsift.tasks.base import Finding

SIZES = (10_000, 100_000)
READ_BEFORE = 0.75
REPEATS = 9
LIMIT_MS = 200.0
"""Promised: the next scan is on the screen within this time. The page holds three ahead, so that it need not wait."""

TASK = "defacing"
BATCH = 2000


def make_record(number: int) -> Record:
    """A sifted scan; its pictures are not there, as reading them costs the same in every study."""
    action = Action.REFER if number % 10 == 0 else Action.ACCEPT
    scan = f"sub-{number:06}/anat/sub-{number:06}_T1w.nii.gz"
    return Record(
        scan=scan,
        stem=scan.removesuffix(".nii.gz"),
        status="done",
        input=InputFacts(format="nifti1", size=1, fingerprint="1:1", sha256=f"{number:064x}"),
        findings=(Finding(task=TASK, label="correct", probabilities={"correct": 0.9}),),
        decisions=(Decision(task=TASK, action=action, rule="benchmark", reason=""),),
    )


def fill(database: Database, n: int) -> None:
    """Store the study, and the states of the scans that were read before."""
    for start in range(0, n, BATCH):
        database.ingest([make_record(number) for number in range(start, min(n, start + BATCH))])
    states = text(
        "INSERT INTO review_cases (study, task, scan, basis, state, home, first_reader, choice, fields, position) "
        f"SELECT study, '{TASK}', scan, sha256, 'done', 'verify', 'xy', 'correct', '{{}}', 1 FROM scans WHERE id <= :n"
    )
    with database.engine.begin() as connection:
        connection.execute(states, {"n": int(READ_BEFORE * n)})


def timed(name: str, work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Print and return the median in ms."""
    wall, cpu = [], []
    for _ in range(repeats):
        start, started = perf_counter(), process_time()
        work()
        wall.append(1000 * (perf_counter() - start))
        cpu.append(1000 * (process_time() - started))
    print(f"  {name}: {median(wall):.0f} ms (worst {max(wall):.0f} ms, {median(cpu):.0f} ms of processor)")
    return median(wall)


def bench(n: int) -> bool:
    """Time one study."""
    print(f"{n} scans")
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder), durable=True) as database:
        fill(database, n)
        person = Reviewer("ab", "reviewer", faces=True)
        add_reviewer(database, person)
        desk = Desk(database, ReviewSettings(Path(folder)))

        def sheet() -> None:
            taken = desk.sheet(person, TASK, "verify", 20)
            assert taken is not None
            for item in taken["items"]:
                answer = Answer(item["item"], "later")
                decide(desk, person, answer, Sign(secrets.token_hex(16), 1.0, {}))

        def one() -> None:
            item = desk.hand(person, TASK, "review", 4)[0]
            decide(desk, person, Answer(item["item"], "answer", "correct"), Sign(secrets.token_hex(16), 1.0, {}))

        timed("passing by what was read before, once at the start", desk.warm, 1)
        timed("the first sheet", lambda: desk.sheet(person, TASK, "verify", 20), 1)
        timed("a sheet of 20 taken, put off scan by scan", sheet, 3)
        waited = timed("a decision, and the next scan taken", one)
        timed("counting for the progress bars", lambda: Counts(desk).tally(TASK), 3)
        timed("checking the trail", lambda: check_trail(database), 1)
    return waited <= LIMIT_MS


if __name__ == "__main__":
    kept = [bench(int(n)) for n in sys.argv[1:] or SIZES]
    sys.exit(0 if all(kept) else 1)
