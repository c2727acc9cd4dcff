"""Cost of a simulated head: drawn from the atlas and rendered, at 1 mm and at 2 mm; and of the whole demo."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from brainsift.simulate.atlas import load_atlas
from brainsift.simulate.atlas_draw import draw_label_map
from brainsift.simulate.demo import write_demo_study
from brainsift.simulate.head import draw_head, render_head
from brainsift.simulate.heads import grid_shape

REPEATS = 3


def cpu_seconds(work: Callable[[], object]) -> float:
    """Median processor time of `work`, s: other work on the machine does not count."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return median(times)


def main() -> None:
    """Print processor seconds."""
    atlas = load_atlas()
    rng = np.random.default_rng(0)
    print(f"atlas read: {cpu_seconds(load_atlas):.2f} s")
    for spacing in (1.0, 2.0):
        print(f"drawn at {spacing:g} mm: {cpu_seconds(lambda s=spacing: draw_label_map(atlas, rng, s)):.2f} s a head")
        head = draw_label_map(atlas, rng, spacing)
        shape = grid_shape(spacing)
        seconds = cpu_seconds(lambda h=head, g=shape, s=spacing: render_head(h, draw_head(rng, h), g, s))
        print(f"rendered at {spacing:g} mm, {shape}: {seconds:.2f} s a scan")
    with TemporaryDirectory() as folder:
        start = time.process_time()
        write_demo_study(Path(folder))
        print(f"demo of 12 scans: {time.process_time() - start:.1f} s")


if __name__ == "__main__":
    main()
