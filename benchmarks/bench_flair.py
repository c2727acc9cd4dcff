"""What a quality network says of scans filed as FLAIR: the fresh bank of `brainsift train quality --for FLAIR`.

    python benchmarks/bench_flair.py runs/flair [--model FILE]

Good FLAIR scans and bad ones, with FLAIR's own artefacts, beside all that is filed as one and is none (2D FLAIR, T2w,
T1w, STIR, cut, swapped, other parts of the body), of label maps and seeds that nothing was learnt from. Two questions
are asked by the rule of `brainsift run` as far as the network goes: straight reject (the lesser of proper and of being
a FLAIR is at most one half), and tier 3 against 1-2 (a proper scan that is rejected counts as lost). What `run` knows
beside it, header and anatomy, is not asked. Everything is simulated; intervals resample people, of whom there are few.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from brainsift.evaluate.ranking import auc
from brainsift.learn.adapt.measure import ask_both, severe
from brainsift.learn.quality.bank import LEVELS, Bank, load_bank
from brainsift.learn.sides import FRESH_BANK
from brainsift.models.session import load_onnx
from brainsift.models.shelf import find
from brainsift.tasks.quality.flair import FLAIR
from brainsift.tasks.quality.network import EVEN_ODDS, GRADED, MODEL, Answer, QualityNetwork
from brainsift.tasks.quality.slices import Slices


def answers(model: Path, bank: Bank) -> list[Answer]:
    """What the network says of scans filed as FLAIR, `proper` being a proper FLAIR."""
    network = QualityNetwork(load_onnx(model, MODEL), MODEL, "")
    said = []
    for row in range(len(bank)):
        pixels = bank.pixels(row).astype(np.float32) / np.float32(LEVELS)
        answer = network.ask(Slices(pixels, np.zeros(len(pixels), int), np.zeros(len(pixels), int)), FLAIR)
        said.append(replace(answer, proper=min(answer.proper, answer.sequence[FLAIR])))
    return said


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--model", type=Path, help="another quality network (ONNX) than the packaged one")
    options = parser.parse_args()
    bank = load_bank(options.run / FRESH_BANK)
    tell(answers(options.model or find(MODEL).path, bank), bank)


def tell(said: list[Answer], bank: Bank) -> None:
    """Print both questions, the grades behind the second, and where the answers are wrong."""
    print("Simulated scans filed as FLAIR.")
    for asked in ask_both(said, bank.truth):
        value = asked.balanced_accuracy(bank.people)
        print(f"{asked.question}: balanced accuracy {value}, n = {len(asked.rows)} ({sum(asked.truth)} yes)")
        wrong = [row for row, truth, answer in zip(asked.rows, asked.truth, asked.said, strict=True) if truth != answer]
        print("    wrong, by what was done:", dict(Counter(str(bank.facts[row].get("fault")) for row in wrong)))
    graded = np.flatnonzero(np.isfinite(severe(bank.truth)))
    for number, name in enumerate(GRADED):
        for limit, reached in ((0.5, "moderate"), (1.5, "severe")):
            truth = bank.truth[graded, 2 + number] >= limit
            score = np.array([getattr(said[row], reached)[name] for row in graded])
            sensitivity, specificity = (score[truth] > EVEN_ODDS).mean(), (score[~truth] <= EVEN_ODDS).mean()
            print(
                f"    {name}, {reached}: AUC {auc(truth, score):.3f}, sensitivity {sensitivity:.3f}, "
                f"specificity {specificity:.3f}, {truth.sum()} of {len(graded)}"
            )


if __name__ == "__main__":
    main()
