"""What is said of scans that are filed as FLAIR, on heads of which nothing was learnt from.

    python benchmarks/bench_flair.py slices runs/flair [--model FILE]
    python benchmarks/bench_flair.py run rows.jsonl --label-maps DIR [--heads head_17 …] [--each 4] [--first 0]

Good FLAIR scans and bad ones, with FLAIR's own artefacts, beside what is filed as one and is none. Two questions:
straight reject, and tier 3 against 1-2 (a proper scan that is rejected counts as lost). `slices` asks the network alone
about the fresh bank of `brainsift train quality --for FLAIR`, where much is improper: 2D FLAIR, T2w, T1w, STIR, cut,
swapped, other parts of the body. `run` draws heads with seeds of its own and asks what `brainsift run` asks: anatomy
pass, network, measured contrast; its improper scans are T2w, T1w and STIR alone. Rows that are there are not asked
again. Everything is simulated; intervals resample people, of whom there are few.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from bench_contrast import as_volume
from kept_rows import Row, ask_missing
from quality_cases import MARGIN

from brainsift.anatomy.compute import compute_anatomy
from brainsift.evaluate.confusion import binary_confusion
from brainsift.evaluate.measured import balanced_accuracy_interval
from brainsift.evaluate.ranking import auc
from brainsift.learn.adapt.measure import (
    BAD_QUALITY,
    SEVERE,
    STRAIGHT_REJECT,
    WORST_TIER,
    ask_both,
    severe,
    worst_grade,
)
from brainsift.learn.quality.bank import LEVELS, Bank, load_bank
from brainsift.learn.quality.clean import draw_painting, paint, place_head
from brainsift.learn.quality.corrupt import (
    OF_FLAIR,
    Graded,
    add_noise_and_grade,
    apply_fault,
    draw_fault,
    draw_low_noise,
)
from brainsift.learn.quality.flair import OTHERS
from brainsift.learn.quality.truth import truth_row
from brainsift.learn.sides import FRESH_BANK
from brainsift.models.session import load_onnx
from brainsift.models.shelf import find
from brainsift.scans.errors import ScanError
from brainsift.scans.ref import ScanRef
from brainsift.simulate.artefacts.intensity import draw_noise
from brainsift.simulate.labelmap import load_label_map
from brainsift.tasks.quality import TASK
from brainsift.tasks.quality.flair import FLAIR
from brainsift.tasks.quality.network import EVEN_ODDS, GRADED, MODEL, Answer, QualityNetwork
from brainsift.tasks.quality.slices import Slices

HEADS = ("head_17", "head_18", "head_19", "head_20")
SEED = 5_100_000
"""Of the heads that `run` draws; no training uses it."""

REF = ScanRef("a_FLAIR.nii.gz", "a_FLAIR", "nifti", (Path("a_FLAIR.nii.gz"),), 1, 1, suffix=FLAIR)


def answers(model: Path, bank: Bank) -> list[Answer]:
    """What the network says of scans filed as FLAIR, `proper` being a proper FLAIR."""
    network = QualityNetwork(load_onnx(model, MODEL), MODEL, "")
    said = []
    for row in range(len(bank)):
        pixels = bank.pixels(row).astype(np.float32) / np.float32(LEVELS)
        answer = network.ask(Slices(pixels, np.zeros(len(pixels), int), np.zeros(len(pixels), int)), FLAIR)
        said.append(replace(answer, proper=min(answer.proper, answer.sequence[FLAIR])))
    return said


def ask_run(path: Path, label_maps: Path, heads: Sequence[str], draws: Sequence[int]) -> list[Row]:
    """Rows of a file, with those that were missing added."""

    def rows(key: tuple[str, int]) -> Iterator[Row]:
        head, draw = key
        return _of_head(label_maps / f"{head}_labels.nii.gz", head, draw)

    keys = [(head, draw) for draw in draws for head in heads]
    return ask_missing(path, keys, lambda row: (row["person"], row["draw"]), rows)


def _of_head(path: Path, head: str, draw: int) -> Iterator[Row]:
    rng = np.random.default_rng([SEED, int(head.rpartition("_")[2]), draw])
    placed = place_head(rng, load_label_map(path), head)
    scan = paint(placed, draw_painting(rng, placed.values, "flair"))
    faults = ["none", "none", "motion", "motion", "contrast", str(rng.choice(OF_FLAIR))]
    noises = [
        draw_low_noise(rng),
        draw_noise(rng, float(rng.uniform(0.5, 3.0))),
        *(draw_low_noise(rng) for _ in range(4)),
    ]
    for fault, noise in zip(faults, noises, strict=True):
        done = add_noise_and_grade(apply_fault(scan, draw_fault(rng, fault)), noise)
        yield _row(done, scan.spacing_mm, head, draw, done.truth)
    for kind in OTHERS:
        other = paint(placed, draw_painting(rng, placed.values, kind))
        done = add_noise_and_grade(apply_fault(other, draw_fault(rng, "none")), draw_low_noise(rng))
        yield _row(done, other.spacing_mm, head, draw, truth_row({"proper": False}), f"filed_{kind}")


def _row(
    done: Graded, spacing_mm: tuple[float, float, float], head: str, draw: int, truth: Any, fault: str | None = None
) -> Row:
    scaled = np.asarray(done.image / np.percentile(done.image, 99.5) * 1000, np.float32)
    volume = as_volume(scaled, spacing_mm)
    try:
        anatomy = compute_anatomy(volume, threads=1)
    except ScanError:
        anatomy = None
    finding = TASK.run(volume, anatomy, REF)
    plain = [None if np.isnan(value) else round(float(value), 4) for value in truth]
    said = finding.probabilities | {"tier": finding.measurements["tier"]}
    return {"person": head, "draw": draw, "fault": fault or done.facts["fault"], "truth": plain, "said": said}


def tell_run(rows: Sequence[Row]) -> None:
    """Print both questions, and the grades behind the second."""
    truth = np.array([[np.nan if v is None else v for v in row["truth"]] for row in rows], np.float32)
    lost = np.array([row["said"]["proper"] <= EVEN_ODDS for row in rows])
    bad = lost | np.array([row["said"]["tier"] == WORST_TIER for row in rows])
    graded = severe(truth)
    asked = ((STRAIGHT_REJECT, truth[:, 0] == 0, lost, np.arange(len(rows))),)
    clear = np.abs(worst_grade(truth) - SEVERE) > MARGIN
    asked += ((BAD_QUALITY, graded == 1, bad, np.flatnonzero(np.isfinite(graded))),)
    asked += ((f"{BAD_QUALITY}, more than {MARGIN} from the limit", graded == 1, bad, np.flatnonzero(clear)),)
    print("Simulated scans filed as FLAIR, by what a run says.")
    for question, yes, said, keep in asked:
        people = [rows[i]["person"] for i in keep]
        value = balanced_accuracy_interval(binary_confusion(yes[keep].tolist(), said[keep].tolist(), people))
        wrong = Counter(rows[i]["fault"] for i in keep if yes[i] != said[i])
        print(f"{question}: balanced accuracy {value}, n = {len(keep)} ({yes[keep].sum()} yes); wrong: {dict(wrong)}")
    keep = np.flatnonzero(np.isfinite(graded))
    for number, name in enumerate(GRADED):
        for limit, reached in ((0.5, "moderate"), (1.5, "severe")):
            score = np.array([rows[i]["said"][f"{name}_{reached}"] for i in keep])
            _tell_grade(name, reached, truth[keep, 2 + number] >= limit, score)


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    first = verbs.add_parser("slices")
    first.add_argument("run", type=Path)
    first.add_argument("--model", type=Path, help="another quality network (ONNX) than the packaged one")
    second = verbs.add_parser("run")
    second.add_argument("rows", type=Path)
    second.add_argument("--label-maps", type=Path, required=True)
    second.add_argument("--heads", nargs="+", default=HEADS)
    second.add_argument("--each", type=int, default=4)
    second.add_argument("--first", type=int, default=0, help="number of the first draw")
    options = parser.parse_args()
    if options.verb == "run":
        draws = range(options.first, options.first + options.each)
        tell_run(ask_run(options.rows, options.label_maps, options.heads, draws))
        return
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
            _tell_grade(name, reached, truth, score)


def _tell_grade(name: str, reached: str, truth: Any, score: Any) -> None:
    sensitivity, specificity = (score[truth] > EVEN_ODDS).mean(), (score[~truth] <= EVEN_ODDS).mean()
    print(
        f"    {name}, {reached}: AUC {auc(truth, score):.3f}, sensitivity {sensitivity:.3f}, "
        f"specificity {specificity:.3f}, {truth.sum()} of {len(truth)}"
    )


if __name__ == "__main__":
    main()
