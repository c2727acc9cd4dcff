"""Cost of a simulated head with microbleeds, and how large its bleeds look, by voxel size."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np

from brainsift.simulate.sources import heads_of, list_label_maps
from brainsift.simulate.susceptibility.example import draw_bleed_example

VOXELS_MM = ((1.0, 1.0, 1.0), (0.7, 0.7, 1.5), (0.8, 0.8, 2.0), (0.9, 0.9, 4.0))
PERCENTILES = (5, 50, 95)


def main() -> None:
    """Print processor seconds (other work on the machine does not count) and diameters seen in the GRE."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label-maps", type=Path, help="heads; drawn from the packaged atlas if not given")
    parser.add_argument("--heads", type=int, default=4, help="a voxel size")
    parser.add_argument("--bleeds", type=int, default=6, help="a head")
    given = parser.parse_args()
    maps = None if given.label_maps is None else list_label_maps(given.label_maps)
    sources = heads_of(maps, np.random.default_rng(0))
    for voxel in VOXELS_MM:
        times, seen, wanted = [], [], 0
        for seed in range(given.heads):
            _, head = next(sources)
            start = time.process_time()
            example = draw_bleed_example(np.random.default_rng(seed), head, count=given.bleeds, voxel_mm=voxel)
            times.append(time.process_time() - start)
            seen += [bleed.seen_diameter_mm for bleed in example.bleeds]
            wanted += given.bleeds
        sizes = " / ".join(f"{value:.1f}" for value in np.percentile(seen, PERCENTILES))
        print(
            f"{voxel} mm: median {median(times):.1f} s, most {max(times):.1f} s; "
            f"{len(seen)} of {wanted} bleeds placed, simulated diameters seen {sizes} mm (5, 50, 95 %)"
        )


if __name__ == "__main__":
    main()
