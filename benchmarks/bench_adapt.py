"""How few labelled FLAIR scans suffice, beside many labelled T1w ones: the study of the papers, on simulated scans.

    python benchmarks/bench_adapt.py build RUN --label-maps DIR --bank runs/quality/bank     # once; goes on
    python benchmarks/bench_adapt.py train RUN                                                # goes on
    python benchmarks/bench_adapt.py table RUN                                                # table.md, features.svg
    python benchmarks/bench_adapt.py all RUN --label-maps DIR --bank runs/quality/bank        # the three, one by one

Source: scans filed as T1w (simulated, and real ones corrupted) with labels. Target: scans filed as FLAIR with another
mix of tiers and rejects, among them 2D FLAIR, T2w, T1w, STIR, cut ones, other parts of the body. People of the source,
of the target and of the test differ. What is asked: straight reject, and tier 3 against 1-2. Every part is kept when it
is done, so each command may be stopped and given again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from adapt_banks import (
    SEED,
    SOURCE_MIX,
    TARGET_HEADS,
    TARGET_MIX,
    TEST_HEADS,
    build_flair,
    classes,
    open_bank,
    plan_flair,
    write_source,
)
from adapt_report import picture, table
from adapt_runs import DEFAULT_METHODS, SMALL, SOURCE, TARGET, TEST, Size, train_all

from brainsift.learn.quality.bank import load_bank

TARGET_CHUNKS, TEST_CHUNKS = 84, 24
SOURCE_EXAMPLES = 1200

TINY = Size(labelled=(4, 8), unlabelled=12, seeds=2, source_steps=4, steps=2, shape=SMALL, threads=1)
"""To see that it works."""


def build(run: Path, label_maps: Path, bank: Path, workers: int, chunks: tuple[int, int], source: int) -> None:
    """Make what is missing of the three banks; the test's first."""
    target, test = chunks
    for name, heads, count, seed in ((TEST, TEST_HEADS, test, SEED + 500_000), (TARGET, TARGET_HEADS, target, SEED)):
        jobs = plan_flair(label_maps, heads, count, seed)
        build_flair(jobs, run / name, workers, progress=lambda done, n, name=name: print(name, done, n, flush=True))
    write_source(load_bank(bank), run / SOURCE, source, SEED)
    for name, mix in ((SOURCE, SOURCE_MIX), (TARGET, TARGET_MIX), (TEST, None)):
        found = open_bank(run / name)
        of_class = [int((classes(found) == k).sum()) for k in range(4)]
        rule = "" if mix is None else f"; drawn as {', '.join(f'{s:.0%}' for s in mix.shares())}"
        print(f"{name}: {len(found)} examples; rejects, tiers 1, 2, 3: {of_class}{rule}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("build", "train", "table", "all"))
    parser.add_argument("run", type=Path)
    parser.add_argument("--label-maps", type=Path)
    parser.add_argument("--bank", type=Path, help="of `brainsift train quality`, whose T1w are the source")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=Size.seeds)
    parser.add_argument("--steps", type=int, default=Size.steps)
    parser.add_argument("--source-steps", type=int, default=Size.source_steps)
    parser.add_argument("--methods", nargs="+", default=list(DEFAULT_METHODS), choices=DEFAULT_METHODS)
    options = parser.parse_args(arguments)
    size = Size(seeds=options.seeds, steps=options.steps, source_steps=options.source_steps, threads=options.threads)
    if options.what in ("build", "all"):
        if options.label_maps is None or options.bank is None:
            parser.error("to build, give --label-maps and --bank")
        chunks = (TARGET_CHUNKS, TEST_CHUNKS)
        build(options.run, options.label_maps, options.bank, options.workers, chunks, SOURCE_EXAMPLES)
    if options.what in ("train", "all"):
        train_all(options.run, size, tuple(options.methods), lambda told: print(told, flush=True))
    if options.what in ("table", "all"):
        show(options.run, size)


def show(run: Path, size: Size) -> None:
    """Write table and picture, and print the table."""
    told = table(run, size)
    (run / "table.md").write_text(told, encoding="utf-8")
    print(told)
    drawn = picture(run, size, open_bank(run / SOURCE))
    if drawn is not None:
        print(drawn)


if __name__ == "__main__":
    main()
