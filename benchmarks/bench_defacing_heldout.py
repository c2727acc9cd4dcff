"""Leave one kind of tool out of training, and measure what is said of its scans: every kind in turn.

    python benchmarks/bench_defacing_heldout.py runs/defacing [--minutes 25] [--tool shell --tool block …]
    python benchmarks/bench_defacing_heldout.py runs/defacing --tool plane --tool template --together
    python benchmarks/bench_defacing_heldout.py runs/defacing --model MODEL.onnx

`runs/defacing` holds the banks that `brainsift train defacing` has built. For each tool a network is trained on the
bank without its scans, weights chosen on the validation bank without them, and all of its scans of both banks of
validation people are asked. Trainings go on from their checkpoints (`runs/defacing/without_TOOL`). `--together` holds
all named tools out of one training, which is harder for the network and takes less time. With `--model` the network
that saw every tool is asked, and the share told that it may decide alone: the threshold is the loosest that keeps
errors at 1 % on the validation bank, coverage and error are told on the fresh one. All scans are simulated.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.confusion import confusion
from brainsift.evaluate.measured import balanced_accuracy_interval
from brainsift.evaluate.proportions import clopper_pearson
from brainsift.learn.defacing.bank import Bank, load_bank
from brainsift.learn.defacing.job import UNTELLABLE
from brainsift.learn.defacing.measure import SURETY, TOLERATED, ask_all, largest_coverage
from brainsift.learn.defacing.train import answers, finish, train_defacing
from brainsift.learn.sides import FRESH_BANK, TRAINING_BANK, VALIDATION_BANK
from brainsift.learn.trainer import TrainingPlan
from brainsift.simulate.deface.tools import TOOLS
from brainsift.tasks.defacing.network import CLASSES

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Banks:
    """Examples to learn from, to choose with, and to measure with."""

    training: Bank
    validation: Bank
    fresh: Bank


def by_tool(bank: Bank, tool: str) -> Bools:
    """Which examples a tool made."""
    return np.array([facts["tool"] == tool for facts in bank.facts])


def without(bank: Bank, tools: Sequence[str]) -> list[int]:
    """Numbers of the examples that none of these tools made."""
    rows: list[int] = np.flatnonzero(~np.any([by_tool(bank, tool) for tool in tools], axis=0)).tolist()
    return rows


def tell(name: str, told: list[str], banks: list[Bank]) -> None:
    """One line: balanced accuracy of the four classes, or of those that there are."""
    truth = [CLASSES[int(n)] for bank in banks for n in bank.truth[:, 0]]
    people = [person for bank in banks for person in bank.people]
    table = confusion(truth, told, CLASSES, people)
    print(f"{name:24s} balanced accuracy {balanced_accuracy_interval(table)}  n {len(truth)}", flush=True)
    print(
        "\n".join(f"    {CLASSES[row]:12s} {table.total[row].astype(int)}" for row in range(len(CLASSES))), flush=True
    )


def held_out(banks: Banks, tools: Sequence[str], folder: Path, plan: TrainingPlan) -> None:
    """Train without some tools and tell what is said of each one's scans."""
    training, chosen_with = (bank.only(without(bank, tools)) for bank in (banks.training, banks.validation))
    weights = train_defacing(training, chosen_with, folder, plan, quiet=True)
    model = finish(weights, training, chosen_with, quiet=True)
    for tool in tools:
        parts = [bank.only(np.flatnonzero(by_tool(bank, tool))) for bank in (banks.validation, banks.fresh)]
        parts = [part for part in parts if len(part)]
        told = [CLASSES[n] for part in parts for n in answers(model, part)[:, : len(CLASSES)].argmax(axis=1)]
        tell(f"{tool}, without {' and '.join(tools)}", told, parts)


def shipped(banks: Banks, model: Path) -> None:
    """The network that saw every tool: all scans, and what it may decide alone."""
    of_validation, of_fresh = (ask_all(model, bank) for bank in (banks.validation, banks.fresh))
    rows = without(banks.fresh, UNTELLABLE)
    tellable, of_tellable = banks.fresh.only(rows), [of_fresh[row] for row in rows]
    tell("all tools", [answer.label() for answer in of_fresh], [banks.fresh])
    tell(f"all but {', '.join(UNTELLABLE)}", [answer.label() for answer in of_tellable], [tellable])
    for question, judge in SURETY.items():
        sure, right = judge(of_validation, banks.validation)
        threshold = np.sort(sure)[::-1][max(0, largest_coverage(sure, right) - 1)]
        sure, right = judge(of_tellable, tellable)
        decided = sure >= threshold
        n, wrong = int(decided.sum()), int((decided & ~right).sum())
        chosen_on = f"{TOLERATED:.0%} error on validation scans, n {len(banks.validation)}"
        print(f"{question}: threshold {threshold:.4f}, {chosen_on}")
        print(f"    coverage on fresh scans {clopper_pearson(n, len(sure), 0.95)}")
        print(f"    error among them {clopper_pearson(wrong, n, 0.95)}, n {n}" if n else "    nothing is decided")


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=25.0, help="of training for each tool")
    parser.add_argument("--threads", type=int, default=1, help="of each training")
    parser.add_argument("--tool", action="append", help="only these; by default every kind that can be learnt")
    parser.add_argument("--together", action="store_true", help="hold all of them out of one training")
    parser.add_argument("--model", type=Path, help="ask only the network that saw every tool")
    arguments = parser.parse_args()
    banks = Banks(*(load_bank(arguments.folder / name) for name in (TRAINING_BANK, VALIDATION_BANK, FRESH_BANK)))
    if arguments.model is not None:
        shipped(banks, arguments.model)
        return
    tools = arguments.tool or [tool for tool in TOOLS if tool not in UNTELLABLE]
    plan = TrainingPlan(minutes=arguments.minutes, validate_every=500, threads=arguments.threads)
    for group in [tools] if arguments.together else [[tool] for tool in tools]:
        held_out(banks, group, arguments.folder / f"without_{'_'.join(group)}", plan)


if __name__ == "__main__":
    main()
