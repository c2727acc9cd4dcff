"""Networks that learn movement from one simulator alone, judged on the other's: what is learnt, movement or simulator?

    python benchmarks/bench_quality_crosswise.py runs/quality --steps 2000 [--threads 1]

RUN holds the banks of `brainsift train quality`, and the cases of `bench_quality_musts.py --build` are there. Three
networks learn alike, from nothing and with as many steps: from movement in k-space, from TorchIO's, and from both; all
else is the same. Each is judged on cases of heads 17 to 20 and of real scans, moved by either. Prints a table.
Trainings go on where they were stopped. Every movement is simulated; no figure is clinical.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench_quality_musts import CACHE, Row, answered, kept_answers, markdown, motion_rows
from quality_cases import PARTS

from brainsift.learn.quality.bank import Bank, load_bank
from brainsift.learn.quality.job import MODEL_FILE, export_quality
from brainsift.learn.quality.train import train_quality
from brainsift.learn.sides import TRAINING_BANK, VALIDATION_BANK
from brainsift.learn.trainer import TrainingPlan

LEFT_OUT = {"k-space": ("torchio",), "TorchIO": ("motion", "mixed"), "both": ()}
"""Who learns → faults that are not shown."""

JUDGED_ON = ("simulated", "real")


def without(bank: Bank, faults: tuple[str, ...]) -> Bank:
    """The examples with other faults."""
    return bank.only([i for i, facts in enumerate(bank.facts) if facts["fault"] not in faults])


def trained(run: Path, name: str, steps: int, threads: int) -> Path:
    """The network that learns without some faults; what chooses and fits its answers lacks them too."""
    faults, folder = LEFT_OUT[name], run / f"crosswise_{name.lower()}"
    bank, validation = (without(load_bank(run / side), faults) for side in (TRAINING_BANK, VALIDATION_BANK))
    plan = TrainingPlan(steps=steps, seed=1, threads=threads, validate_every=500)
    weights = train_quality(bank, validation, folder, plan)
    return export_quality(weights, folder / MODEL_FILE, validation)


def judged(name: str, model: Path, cache: Path) -> list[Row]:
    """Balanced accuracy of severe and of mild movement, by simulator."""
    rows: list[Row] = []
    for part in JUDGED_ON:
        cases = answered(model, load_bank(cache / part), kept_answers(cache, model, part))
        rows += [
            row
            for row in motion_rows(cases, f"learnt from {name}: {part}", {})
            if "three" not in row.what and row.statistic == "balanced accuracy"
        ]
    return rows


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    if not all((options.cache / part).is_dir() for part in JUDGED_ON):
        parser.error(f"no cases ({', '.join(PARTS)}) in {options.cache}: make them with bench_quality_musts.py --build")
    models = {name: trained(options.run, name, options.steps, options.threads) for name in LEFT_OUT}
    rows = [row for name, model in models.items() for row in judged(name, model, options.cache)]
    text = "\n".join(markdown(sorted(rows, key=lambda row: (row.what, row.scans))))
    (options.run / "crosswise.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
