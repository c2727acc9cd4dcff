"""One real scan, reading included: where its second goes.

    python benchmarks/bench_one_scan.py [../shared/data] [--scans 6]

Prints, per scan, wall and processor time of reading and of the anatomy pass; then the share of each stage. The network
alone on a head of usual size is the yardstick: the ratio to it may be compared between machines and between busy and
idle ones, the seconds may not.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainsift.anatomy import compute, network, stages
from brainsift.scans.read import read_file

USUAL_HEAD = (48, 64, 56)
YARDSTICK_RUNS = 5
STAGES = (
    (compute, "to_working_grid"),
    (compute, "fill_partly_empty"),
    (compute, "frame_head"),
    (compute, "normalise"),
    (network, "find"),
    (network, "lay"),
    (network, "even_out"),
    (network, "align_prior"),
    (network, "bend_prior"),
    (network, "draw_edges"),
    (network, "sharpen"),
    (compute, "clean_labels"),
    (compute, "_assemble"),
)


@dataclass
class Spent:
    """Wall and processor seconds."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def clock(into: Spent) -> Iterator[None]:
    """Add what the block takes to `into`."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    into.wall += time.perf_counter() - wall
    into.cpu += time.process_time() - cpu


def watch_stages() -> dict[str, Spent]:
    """Replace the stages of the pass by ones that count their time."""
    spent: dict[str, Spent] = defaultdict(Spent)

    def watched(name: str, inner: object) -> object:
        def stage(*args: object, **kwargs: object) -> object:
            with clock(spent[name]):
                return inner(*args, **kwargs)  # type: ignore[operator]

        return stage

    for module, name in STAGES:
        setattr(module, name, watched(name, getattr(module, name)))
    return spent


def yardstick(net: network.AnatomyNetwork) -> Spent:
    """The network alone on a head of usual size, the fastest of some runs."""
    head = np.random.default_rng(0).random((1, *USUAL_HEAD), dtype=np.float32)
    runs = [Spent() for _ in range(YARDSTICK_RUNS)]
    for run in runs:
        with clock(run):
            stages.run_network(net.where, head)
    return min(runs, key=lambda run: run.wall)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--scans", type=int, default=6)
    options = parser.parse_args()
    net = network.open_network()
    unit = yardstick(net)
    print(f"yardstick, the network alone on {USUAL_HEAD}: {unit.wall:.3f} s, processor {unit.cpu:.3f} s")
    paths = sorted((options.data / "scans").glob("*head*.nii*"))[: options.scans]
    compute.compute_anatomy(read_file(paths[0]), net)
    parts, total = watch_stages(), Spent()
    for path in paths:
        reading, anatomy = Spent(), Spent()
        with clock(reading):
            volume = read_file(path)
        with clock(anatomy):
            compute.compute_anatomy(volume, net)
        total.wall, total.cpu = total.wall + reading.wall + anatomy.wall, total.cpu + reading.cpu + anatomy.cpu
        print(
            f"{path.name:30s} {'x'.join(map(str, volume.shape)):12s} read {reading.wall:.2f} s ({reading.cpu:.2f})  "
            f"anatomy {anatomy.wall:.2f} s ({anatomy.cpu:.2f})"
        )
    n = len(paths)
    print(f"a scan, n={n}: {total.wall / n:.2f} s, processor {total.cpu / n:.2f} s")
    print(f"in yardsticks: {total.wall / n / unit.wall:.1f} wall, {total.cpu / n / unit.cpu:.1f} processor")
    for name, part in parts.items():
        print(f"  {name:18s} {part.cpu / n:.3f} s processor, {part.cpu / total.cpu:.0%}")


if __name__ == "__main__":
    main()
