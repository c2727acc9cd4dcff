"""How far the forecast of a run is from what the run takes.

    python benchmarks/bench_forecast.py [OUTPUT]

OUTPUT is that of any run: the sizes and seconds of its scans are drawn from, with replacement, to make studies of known
length, and each is foretold after its first scans by the code of the engine. Compared are scans in the order of
their names, as folders have them, and a spread of sizes first, as the engine does them. Without OUTPUT a mix is drawn:
half of the scans small and quick, half large and slow, each kind in a folder of its own, 20 % of noise on each.
"""

from __future__ import annotations

import random
import statistics
import sys
from array import array
from pathlib import Path

from brainsift.engine.forecast import Load, Pace
from brainsift.engine.look_ahead import SPREAD, spread_over
from brainsift.store.record_io import read_record, record_files

Scan = tuple[str, float, float]
"""Name, megabytes, seconds."""

STUDIES = 300
SCANS = 1000
WORKERS = 2
GOAL = 0.2


def measured(output: Path) -> list[Scan]:
    """Scans of a run that was really done."""
    records = [read_record(path) for path in record_files(output)]
    return [(one.scan, one.input.size / 1e6, one.seconds) for one in records if one.seconds > 0]


def drawn_mix(rng: random.Random) -> list[Scan]:
    """A study of two kinds of scans."""
    kinds = (("a_flair", 3.0, 0.8), ("b_t1w", 14.0, 2.0))
    return [
        (f"{name}_{number:03}", megabytes * rng.uniform(0.8, 1.2), seconds * rng.uniform(0.8, 1.2))
        for name, megabytes, seconds in kinds
        for number in range(50)
    ]


def error_of(study: list[Scan]) -> tuple[float, bool] | None:
    """Relative error of the first forecast, and whether the interval held, for scans done in this order by two."""
    pace, free, done = Pace(WORKERS), [0.0] * WORKERS, []
    for _, megabytes, seconds in study:
        worker = free.index(min(free))
        free[worker] += seconds
        done.append((free[worker], megabytes, seconds))
    end = max(free)
    for place, (now, megabytes, seconds) in enumerate(sorted(done), 1):
        pace.add(megabytes, seconds, {}, now)
        if place < SPREAD:
            continue
        told = pace.forecast(Load(len(study) - place, sum(one[1] for one in sorted(done)[place:])))
        if told is not None:
            rest = end - now
            return told.seconds / rest - 1, told.low <= rest <= told.high
    return None


def main() -> None:
    """Parse and run."""
    rng = random.Random(1)
    pool = measured(Path(sys.argv[1])) if len(sys.argv) > 1 else drawn_mix(rng)
    orders: dict[str, list[tuple[float, bool]]] = {"first by name": [], "spread of sizes": []}
    for _ in range(STUDIES):
        study = sorted(rng.choices(pool, k=SCANS))
        first = spread_over(array("q", [round(1e6 * megabytes) for _, megabytes, _ in study]), SPREAD)
        spread = [study[place] for place in first] + [one for place, one in enumerate(study) if place not in set(first)]
        for name, order in (("first by name", study), ("spread of sizes", spread)):
            if (found := error_of(order)) is not None:
                orders[name].append(found)
    print(
        f"{STUDIES} studies of {SCANS} scans drawn from {len(pool)}, {WORKERS} workers, foretold after {SPREAD} scans"
    )
    for name, found in orders.items():
        errors = [abs(error) for error, _ in found]
        within = sum(error <= GOAL for error in errors) / len(errors)
        held = sum(inside for _, inside in found) / len(found)
        print(
            f"{name:16s} error: median {statistics.median(errors):.1%}, worst {max(errors):.1%}, "
            f"within {GOAL:.0%} in {within:.0%}; the 95 % interval held in {held:.0%}"
        )


if __name__ == "__main__":
    main()
