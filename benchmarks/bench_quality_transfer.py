"""The papers' two-step experiment: learn on simulation, then on a few labelled scans of another site.

    python benchmarks/bench_quality_transfer.py runs/quality [--steps 3000] [--labelled 20 100 500] [--seeds 3]

RUN holds the banks of `brainsift train quality`. Simulated scans of label maps are the first site; real scans, clean
and corrupted, are the other one, of which `--labelled` examples are learnt from. Every person of either site is on one
side. Prints balanced accuracy on the other site's validation people: before any of its labels, from these labels alone,
and from both, mean and range over seeds (which draw the labelled examples too).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from brainsift.evaluate.confusion import binary_confusion
from brainsift.evaluate.rates import balanced_accuracy
from brainsift.learn.quality.bank import Bank, load_bank
from brainsift.learn.quality.net import QualityNet
from brainsift.learn.quality.train import answers, load_weights, train_quality
from brainsift.learn.quality.truth import COLUMNS, N_BINARY
from brainsift.learn.sides import TRAINING_BANK, VALIDATION_BANK
from brainsift.learn.trainer import TrainingPlan
from brainsift.tasks.quality.network import OUTPUTS

ASKED = ("motion_at_least_2", "motion_at_least_1", "noise_at_least_2", "contrast_at_least_2")
TUNING_STEPS = 400
SCRATCH_STEPS = 1200
"""From nothing, more steps are fair: the first site's are not counted."""


def part(bank: Bank, source: str) -> Bank:
    """The examples of one site."""
    return bank.only([i for i, facts in enumerate(bank.facts) if facts["source"] == source])


def draw(bank: Bank, count: int, seed: int) -> Bank:
    """As many examples at random."""
    order = np.random.default_rng(seed).permutation(len(bank))
    return bank.only(order[:count].tolist())


def accuracies(weights: Path, bank: Bank) -> dict[str, float]:
    """Balanced accuracy of each question at even odds."""
    net = QualityNet()
    net.load_state_dict(load_weights(weights))
    logits = answers(net, bank)[:, 0]
    found = {}
    for name in ASKED:
        column = OUTPUTS[:N_BINARY].index(name)
        truth = bank.truth[:, COLUMNS.index(name.split("_at")[0])]
        known = np.isfinite(truth)
        table = binary_confusion((truth[known] > int(name[-1]) - 0.5).tolist(), (logits[known, column] > 0).tolist())
        found[name] = float(balanced_accuracy(table.total))
    return found


def train(bank: Bank, output: Path, steps: int, rate: float, seed: int, start: Path | None) -> Path:
    """Train for a set number of steps; without a validation side, so that no label of it is used."""
    plan = TrainingPlan(steps=steps, seed=seed, learning_rate=rate, validate_every=steps)
    return train_quality(bank, None, output, plan, start_from=start, resume=False, quiet=True)


def line(name: str, runs: Sequence[dict[str, float]]) -> str:
    """A row of the table."""
    cells = []
    for question in ASKED:
        values = [run[question] for run in runs]
        spread = "" if len(values) == 1 else f" ({min(values):.2f}-{max(values):.2f})"
        cells.append(f"{np.mean(values):.3f}{spread}")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=3000, help="on the first site")
    parser.add_argument("--labelled", type=int, nargs="+", default=[20, 100, 500])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(2)
    bank, validation = load_bank(options.run / TRAINING_BANK), load_bank(options.run / VALIDATION_BANK)
    other, held_out = part(bank, "real scan"), part(validation, "real scan")
    print(f"{len(part(bank, 'label map'))} simulated examples, {len(other)} of the other site, {len(held_out)} to test")
    print(f"| learnt from | {' | '.join(ASKED)} |")
    print("|---" * (1 + len(ASKED)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        first = train(part(bank, "label map"), out / "first", options.steps, 2e-3, 1, None)
        print(line("simulation alone", [accuracies(first, held_out)]), flush=True)
        for count in options.labelled:
            given = [draw(other, count, seed) for seed in range(options.seeds)]
            size = len(given[0])
            for name, steps, rate, start in (
                (f"{size} labelled scans alone", SCRATCH_STEPS, 2e-3, None),
                (f"simulation, then {size} labelled scans", TUNING_STEPS, 5e-4, first),
            ):
                found = [
                    accuracies(train(part_, out / f"{count}_{seed}_{steps}", steps, rate, seed, start), held_out)
                    for seed, part_ in enumerate(given)
                ]
                print(line(name, found), flush=True)


if __name__ == "__main__":
    main()
