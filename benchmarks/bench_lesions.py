"""Cost of a simulated person with lesions at 1 mm: T1w alone, with the label on a FLAIR, with the FLAIR itself."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np

from brainsift.simulate.lesions.example import draw_wmh_example
from brainsift.simulate.lesions.shapes import load_shapes
from brainsift.simulate.sources import heads_of, list_label_maps

LOADS_ML = (0.0, 1.0, 10.0, 40.0)


def main() -> None:
    """Print processor seconds: other work on the machine does not count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label-maps", type=Path, help="heads; one is drawn from the packaged atlas if not given")
    parser.add_argument("--lesion-masks", type=Path, help="real shapes; none if not given")
    given = parser.parse_args()
    maps = None if given.label_maps is None else list_label_maps(given.label_maps)
    _, head = next(heads_of(maps, np.random.default_rng(0)))
    start = time.process_time()
    shapes = None if given.lesion_masks is None else load_shapes(given.lesion_masks)
    print(f"shapes read: {time.process_time() - start:.1f} s")
    for whole in (False, True):
        for flair, coarse in ((False, False), (False, True), (True, True)):
            times = []
            for seed, load in enumerate(LOADS_ML):
                start = time.process_time()
                rng = np.random.default_rng(seed)
                draw_wmh_example(rng, head, shapes=shapes, load_ml=load, flair=flair, coarse=coarse, whole_head=whole)
                times.append(time.process_time() - start)
            made = "T1w" + (", label" if coarse else "") + (", FLAIR" if flair else "")
            field = "whole head" if whole else "brain"
            print(f"{field}: {made}: median {median(times):.1f} s, most {max(times):.1f} s")


if __name__ == "__main__":
    main()
