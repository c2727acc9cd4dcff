"""Measure the quality task: seconds per scan, and its answers on real scans.

    python benchmarks/bench_quality.py ../shared/data [--model runs/quality/quality.onnx]

Prints a line for every scan of the manifest, then balanced accuracy of proper or not and accuracy of the sequence. The
anatomy pass comes before and is not counted. `bench_quality_baseline.py speed` times what the papers do beside it.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainsift.anatomy.compute import compute_anatomy
from brainsift.evaluate.confusion import binary_confusion, confusion
from brainsift.evaluate.measured import accuracy_interval, balanced_accuracy_interval, recall_interval
from brainsift.models.session import load_onnx
from brainsift.scans.read import read_file
from brainsift.tasks.quality.metrics import compute_metrics
from brainsift.tasks.quality.network import GRADED, MODEL, SEQUENCES, Answer, QualityNetwork, open_quality_network
from brainsift.tasks.quality.slices import slices_of

SUFFIX = {"GRE": "T2starw", "T1w+Gd": "T1w", "phase": "other"}
"""Names of the manifest → those of the network."""


@dataclass(frozen=True)
class Row:
    """One real scan: what the manifest says, what the network says, seconds for slices, network and metrics."""

    name: str
    sequence: str
    proper: bool
    gadolinium: bool
    whole_head: bool
    answer: Answer
    seconds: tuple[float, float, float]


def rows(data: Path, network: QualityNetwork) -> Iterator[Row]:
    """Ask about every scan of the manifest."""
    with (data / "scans" / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file, delimiter="\t"):
            volume = read_file(data / "scans" / entry["file"])
            anatomy = compute_anatomy(volume)
            marks = [time.perf_counter()]
            slices = slices_of(volume, anatomy)
            marks.append(time.perf_counter())
            answer = network.ask(slices)
            marks.append(time.perf_counter())
            if anatomy.has_brain:
                compute_metrics(volume, anatomy)
            marks.append(time.perf_counter())
            sequence = SUFFIX.get(entry["sequence"], entry["sequence"])
            crop = "crop" in entry["note"] or "cut" in entry["note"] or entry["sequence"] == "phase"
            a, b, c = np.diff(marks).tolist()
            yield Row(
                entry["file"].split(".")[0],
                sequence,
                entry["dimension"] == "3D" and not crop,
                entry["sequence"] == "T1w+Gd",
                entry["skull_stripped"] == "no",
                answer,
                (a, b, c),
            )


def show(found: list[Row]) -> None:
    """Print each scan and the summary."""
    for r in found:
        a = r.answer
        right = ("" if (a.proper > 0.5) == r.proper else "  PROPER?") + (
            "" if a.likeliest_sequence() == r.sequence else "  SEQUENCE?"
        )
        grades = "  ".join(f"{name} {a.score(name):.2f}" for name in GRADED)
        print(
            f"{r.name:28s} {r.sequence:8s} proper {a.proper:.2f}  {a.likeliest_sequence():8s} "
            f"{max(a.sequence.values()):.2f}  Gd {a.gadolinium:.2f}  {grades}  {sum(r.seconds):.2f} s{right}"
        )
    people = [r.name.split("_s1")[0].split("_s2")[0] for r in found]
    proper = binary_confusion([r.proper for r in found], [r.answer.proper > 0.5 for r in found], people)
    said = [r.answer.likeliest_sequence() for r in found]
    sequence = confusion([r.sequence for r in found], said, SEQUENCES, people)
    clean = [r for r in found if r.name.startswith("t1w_brain_")]
    good = binary_confusion([True] * len(clean), [r.answer.tier() == 1 for r in clean])
    print(f"proper or not: balanced accuracy {balanced_accuracy_interval(proper)}, n {proper.n}")
    print(f"sequence: accuracy {accuracy_interval(sequence)}, n {sequence.n}")
    print(f"clean t1w_brain scans called tier 1: {recall_interval(good, 1)}, n {good.n}")
    times = np.array([r.seconds for r in found])
    for name, column in zip(("slices", "network", "metrics"), times.T, strict=True):
        print(f"{name}: median {np.median(column):.2f} s, worst {column.max():.2f} s")
    print(f"all: median {np.median(times.sum(axis=1)):.2f} s, worst {times.sum(axis=1).max():.2f} s, n {len(times)}")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, help="default: the packaged one")
    options = parser.parse_args()
    if options.model is None:
        network = open_quality_network()
    else:
        network = QualityNetwork(load_onnx(options.model, MODEL), MODEL, "")
    show(list(rows(options.data, network)))


if __name__ == "__main__":
    main()
