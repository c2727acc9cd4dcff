"""How long it takes to index 20,000 small files: ours, and bids2table where it is installed.

Run: python benchmarks/bench_catalog.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from brainsift.scans.catalog import catalog

PARTICIPANTS = 2500


def make_dataset(root: Path) -> int:
    """Write a BIDS dataset of 2,500 participants, two sessions, two images and two sidecars each; return its files."""
    (root / "dataset_description.json").write_text(json.dumps({"Name": "bench", "BIDSVersion": "1.9.0"}))
    written = 1
    for number in range(PARTICIPANTS):
        for session in ("01", "02"):
            folder = root / f"sub-{number:05d}" / f"ses-{session}" / "anat"
            folder.mkdir(parents=True)
            for suffix in ("T1w", "FLAIR"):
                base = folder / f"sub-{number:05d}_ses-{session}_{suffix}"
                base.with_name(base.name + ".nii.gz").write_bytes(b"x" * 200)
                base.with_name(base.name + ".json").write_text("{}")
                written += 2
    return written


def best_of(repeats: int, call: object) -> float:
    """Shortest wall time in seconds; compare ratios, the machine may be busy."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return min(times)


def import_seconds(module: str) -> float:
    """Wall time of a fresh interpreter that imports `module`, above one that imports nothing."""

    def start(code: str) -> float:
        return best_of(5, lambda: subprocess.run([sys.executable, "-c", code], check=True))

    return start(f"import {module}") - start("pass")


def main() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        files = make_dataset(root)
        ours = best_of(3, lambda: list(catalog(root)))
        one = best_of(3, lambda: list(catalog(root, ["00017"])))
        print(f"{files} files: catalog {ours:.2f} s, one participant {one * 1000:.1f} ms")
        print(f"import brainsift.scans.catalog {import_seconds('brainsift.scans.catalog') * 1000:.0f} ms")
        try:
            import bids2table
        except ImportError:
            return
        theirs = best_of(3, lambda: bids2table.index_dataset(root))
        print(
            f"bids2table {theirs:.2f} s, {theirs / ours:.1f} times; import {import_seconds('bids2table') * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
