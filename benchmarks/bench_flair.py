"""What the packaged quality network says of scans that are filed as FLAIR: heads of their own, drawn anew.

    python benchmarks/bench_flair.py RUN --label-maps DIR [--chunks 24] [--workers 2] [--model FILE]

Good FLAIR scans and bad ones, with FLAIR's own artefacts, beside all that is filed as one and is none (2D FLAIR, T2w,
T1w, STIR, cut, swapped, other parts of the body), of label maps head_17 to head_20 with seeds that no training uses.
Two questions are asked by the rule of `brainsift run` as far as the network goes: straight reject (the lesser of proper
and of being a FLAIR is at most one half), and tier 3 against 1-2 (a proper scan that is rejected counts as lost). What
`run` knows beside it, header and anatomy, is not asked. Everything is simulated; intervals resample the deformed heads,
which are of four people.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from adapt_banks import SEED, TEST_HEADS, build_flair, open_bank, plan_flair

from brainsift.evaluate.ranking import auc
from brainsift.learn.adapt.measure import ask_both, severe
from brainsift.learn.quality.bank import LEVELS, Bank
from brainsift.models.session import load_onnx
from brainsift.tasks.quality.network import EVEN_ODDS, GRADED, MODEL, Answer, decode

FRESH_SEED = SEED + 900_000
FLAIR = "FLAIR"


def answers(model: Path | None, bank: Bank) -> list[Answer]:
    """What the network says, `proper` being a proper FLAIR."""
    path = model or Path(__file__).parents[1] / "src/brainsift/models" / f"{MODEL}.onnx"
    session = load_onnx(path, MODEL)
    name = session.get_inputs()[0].name
    said = []
    for row in range(len(bank)):
        pixels = bank.pixels(row).astype("float32") / LEVELS
        answer = decode(session.run(None, {name: pixels[None]})[0][0])
        said.append(replace(answer, proper=min(answer.proper, answer.sequence[FLAIR])))
    return said


def main() -> None:
    """Build what is missing, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--label-maps", type=Path, required=True)
    parser.add_argument("--chunks", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", type=Path, help="another quality network (ONNX) than the packaged one")
    options = parser.parse_args()
    jobs = plan_flair(options.label_maps, TEST_HEADS, options.chunks, FRESH_SEED)
    build_flair(jobs, options.run, options.workers, progress=lambda done, n: print(done, n, flush=True), whole=True)
    tell(answers(options.model, open_bank(options.run)), open_bank(options.run))


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
