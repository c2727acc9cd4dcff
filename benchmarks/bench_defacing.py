"""Measure the defacing task: seconds per scan, its answers on real heads, and on real heads that the shear has cut.

    python benchmarks/bench_defacing.py ../shared/data [--model runs/defacing/defacing.onnx] [--shear] [--label-maps 20]

Prints a line for every head of the manifest and the DICOM head: class, probabilities, features left, list, seconds.
`--shear` cuts the heads that show a face at five buffers and says what is said of each; wider buffers must never make
a verdict worse for the brain. `--label-maps N` draws N fresh simulated scans of the validation heads 17-20 and tells
the four-class balanced accuracy with its interval. Without a model, measured signals alone are printed.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.compute import compute_anatomy
from brainsift.decide.defacing import LISTS, decide_defacing
from brainsift.engine.defacing.shear import shear_mask
from brainsift.evaluate.confusion import confusion
from brainsift.evaluate.measured import balanced_accuracy_interval
from brainsift.models.session import load_onnx
from brainsift.scans.catalog import catalog
from brainsift.scans.read import read, read_file
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Finding
from brainsift.tasks.defacing.network import CLASSES, MODEL, DefacingNetwork, look_at, open_defacing_network
from brainsift.tasks.defacing.task import DefacingTask

BUFFERS_MM = (-30.0, -15.0, 0.0, 10.0, 30.0)
"""Of the shear: from deep in the brain to far from it."""

SIGNALS = ("face_sunk_mm", "eyes_left", "nose_left", "mouth_left", "ears_left", "flat_share", "brain_missing_ml")

NO_FILE = ScanRef("benchmark", "benchmark", "nifti", (), 0, 0)
FRESH_SEED = 7_000_000
FRESH_HEADS = ("17", "18", "19", "20")


@dataclass(frozen=True)
class Head:
    """A real head and what is known of its face: ``visible``, ``partial``, ``removed``."""

    name: str
    face: str
    volume: Volume
    anatomy: Anatomy


def heads(data: Path) -> Iterator[Head]:
    """Heads of the manifest that are not skull-stripped, then the DICOM head."""
    with (data / "scans" / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["face"] in ("visible", "partial", "removed")]
    for row in rows:
        volume = read_file(data / "scans" / row["file"])
        yield Head(row["file"].split(".")[0], row["face"], volume, compute_anatomy(volume))
    for ref in catalog(data / "dicom"):
        volume = read(ref)
        yield Head(f"dicom {ref.scan}", "visible", volume, compute_anatomy(volume))


def network_of(model: Path | None) -> DefacingNetwork:
    """The network of a file, or the packaged one."""
    if model is None:
        return open_defacing_network()
    return DefacingNetwork(load_onnx(model, MODEL), MODEL, "0" * 64)


def tell(name: str, face: str, finding: Finding, seconds: float) -> None:
    """One line."""
    decision = decide_defacing(finding)
    classes = " ".join(f"{c[:4]} {finding.probabilities[c]:.3f}" for c in CLASSES if c in finding.probabilities)
    print(
        f"{name:32s} {face:8s} {finding.label:12s} {classes:50s} {LISTS[decision.action]:9s} {decision.rule:17s} "
        f"{1000 * seconds:5.0f} ms  {' '.join(finding.flags)}",
        flush=True,
    )


def measure_heads(data: Path, task: DefacingTask, shear: bool) -> None:
    """Real heads as they are, then cut."""
    spent = []
    for head in heads(data):
        start = time.perf_counter()
        finding = task.run(head.volume, head.anatomy, NO_FILE)
        spent.append(time.perf_counter() - start)
        tell(head.name, head.face, finding, spent[-1])
        if shear and head.face == "visible":
            measure_shear(head, task)
    print(f"task after reading and anatomy: median {1000 * float(np.median(spent)):.0f} ms, n {len(spent)}")


def measure_shear(head: Head, task: DefacingTask) -> None:
    """One head at all buffers; the anatomy pass is run on what is left, as for any scan."""
    for buffer_mm in BUFFERS_MM:
        cleared = shear_mask(head.volume, head.anatomy, buffer_mm)
        cut = replace(head.volume, data=np.where(cleared, np.float32(0), head.volume.data))
        start = time.perf_counter()
        finding = task.run(cut, compute_anatomy(cut), NO_FILE)
        tell(f"  shear {buffer_mm:+.0f} mm", "", finding, time.perf_counter() - start)


def measure_simulated(data: Path, network: DefacingNetwork, count: int) -> None:
    """Fresh scans of the validation heads, all tools."""
    from brainsift.learn.as_read import as_volume
    from brainsift.simulate.deface.draw import draw_defaced_example
    from brainsift.simulate.deface.marked import load_marked_head

    marked = {n: load_marked_head(data / "label_maps" / f"head_{n}_labels.nii.gz") for n in FRESH_HEADS}
    truth, told, people = [], [], []
    for number in range(count):
        person = FRESH_HEADS[number % len(FRESH_HEADS)]
        donor = FRESH_HEADS[(number + 1) % len(FRESH_HEADS)]
        rng = np.random.default_rng([FRESH_SEED, number])
        label = CLASSES[number // len(FRESH_HEADS) % len(CLASSES)]
        drawn = draw_defaced_example(
            rng,
            marked[person],
            label=label,  # type: ignore[arg-type]
            donors=[marked[donor]],
            masks=data / "deface_masks",
        )
        volume = as_volume(drawn.image, drawn.affine)
        answer = network.ask(look_at(volume, compute_anatomy(volume)))
        truth.append(drawn.truth.label)
        told.append(answer.label())
        people.append(person)
    table = confusion(truth, told, CLASSES, people)
    print(f"simulated, heads 17-20: balanced accuracy {balanced_accuracy_interval(table)}, n {count}")
    print(table.total.astype(int))


def measure_signals(data: Path) -> None:
    """What can be said without a network."""
    for head in heads(data):
        signals = look_at(head.volume, head.anatomy).signals
        print(f"{head.name:32s} {head.face:8s} {' '.join(f'{n} {signals[n]}' for n in SIGNALS)}", flush=True)


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--shear", action="store_true")
    parser.add_argument("--label-maps", type=int, default=0, metavar="N")
    parser.add_argument("--signals", action="store_true", help="no network: the measured signals of each head")
    arguments = parser.parse_args()
    if arguments.signals:
        measure_signals(arguments.data)
        return
    network = network_of(arguments.model)
    measure_heads(arguments.data, DefacingTask(lambda: network), arguments.shear)
    if arguments.label_maps:
        measure_simulated(arguments.data, network, arguments.label_maps)


if __name__ == "__main__":
    main()
