"""Cost against the size of a scan: one simulated head at several resolutions, the whole unit of work.

    python benchmarks/bench_size.py [--edges 96 160 224 288]

The head is the same, so the anatomy pass, on its own 2 mm grid, should hardly notice; reading, conforming and the tasks
that look at native voxels grow with their number. Given are ratios to the first size, within one run.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
from counting import PeakClock, table

from brainsift.engine.scan_unit import run_scan
from brainsift.engine.settings import RunSettings
from brainsift.scans.catalog import catalog
from brainsift.simulate.heads import simulate_heads
from brainsift.tasks.registry import REGISTRY

EDGES = (96, 160, 224, 288)


def resample(path: Path, edge: int, target: Path) -> None:
    """The head on a cubic grid of `edge` voxels a side, nearest neighbour; noise keeps files as large as real ones."""
    image = nib.load(path)
    data = np.asarray(image.dataobj, np.float32)
    index = np.ix_(*(np.minimum(np.arange(edge) * n // edge, n - 1) for n in data.shape))
    noise = np.random.default_rng(edge).normal(0, 0.02 * data.max(), (edge,) * 3)
    values = np.clip(data[index] + noise, 0, None)
    affine = image.affine @ np.diag([*(n / edge for n in data.shape), 1.0])
    nib.save(nib.Nifti1Image((values * 1000 / values.max()).astype(np.int16), affine), target)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", type=int, nargs="+", default=EDGES)
    edges = parser.parse_args().edges
    settings, rows, first = RunSettings(tasks=tuple(REGISTRY)), [], 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate_heads(folder / "head", n=1, seed=1, contrast="T1w", spacing_mm=1.0)
        head = next((folder / "head").rglob("*.nii.gz"))
        scans = folder / "scans"
        scans.mkdir()
        for edge in edges:
            resample(head, edge, scans / f"head_{edge:04}_T1w.nii.gz")
        refs = list(catalog(scans))
        for number, ref in enumerate([refs[0], *refs]):
            clock = PeakClock()
            run_scan(ref, settings, output=folder / "out", scratch=folder, clock=clock)
            if number == 0:  # opens networks and imports libraries
                continue
            cpu = clock.cpu
            whole = sum(spent for stage, spent in cpu.items() if "." not in stage)
            first = first or whole
            parts = (cpu.get("read", 0.0), cpu.get("anatomy.conform", 0.0), cpu.get("anatomy", 0.0), whole)
            seconds = [f"{part:.2f}" for part in parts]
            edge = edges[number - 1]
            most = f"{max(clock.peak.values()):.0f}"
            rows.append((f"{edge}^3", f"{ref.size / 1e6:.1f}", *seconds, f"{whole / first:.2f}", most))
    head_row = ("voxels", "MB", "read s", "conform s", "anatomy s", "all s", "ratio", "peak MB")
    print(table(head_row, rows))


if __name__ == "__main__":
    main()
