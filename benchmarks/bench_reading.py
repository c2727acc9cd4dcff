"""How long reading takes: gzip by isal and by zlib, whole scans, resampling of a large one, packing of a mask.

Run: python benchmarks/bench_reading.py [FOLDER], one core: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"""

from __future__ import annotations

import gzip
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from isal import igzip, isal_zlib

from brainsift.learn.as_read import as_volume
from brainsift.scans.catalog import catalog
from brainsift.scans.conform import to_working_grid
from brainsift.scans.read import read
from brainsift.scans.volume import Volume

REPEATS = 3


def best(call: Callable[[], object]) -> float:
    """Shortest CPU time in seconds: not disturbed by what else the machine does."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def bench_gzip(paths: list[Path]) -> None:
    """Decompression of real scans."""
    contents = [path.read_bytes() for path in paths]
    with_isal = best(lambda: [isal_zlib.decompress(one, wbits=31) for one in contents])
    with_zlib = best(lambda: [zlib.decompress(one, wbits=31) for one in contents])
    size = sum(len(zlib.decompress(one, wbits=31)) for one in contents) / 1e6
    print(f"gunzip {len(paths)} scans, {size:.0f} MB: isal {with_isal:.2f} s, zlib {with_zlib:.2f} s")
    print(f"  ratio {with_zlib / with_isal:.2f}")


def bench_read(folder: Path) -> None:
    """Whole reads: hash, gunzip, checks, RAS, float32."""
    refs = list(catalog(folder))
    seconds = best(lambda: [read(ref) for ref in refs])
    voxels = sum(read(ref).data.size for ref in refs) / 1e6
    print(f"read {len(refs)} scans, {voxels:.0f} million voxels: {seconds:.2f} s")


def large_volume(order: str) -> Volume:
    """A 460 x 512 x 160 scan at 0.5 x 0.5 x 1 mm."""
    data = np.asarray(np.random.default_rng(0).random((460, 512, 160), dtype=np.float32), order=order)  # type: ignore[call-overload]
    affine = np.diag([0.5, 0.5, 1.0, 1.0])
    return as_volume(data, affine, magnitude=False)


def bench_conform() -> None:
    """Resampling of a large scan to 2 mm, in both memory orders."""
    for order in "CF":
        volume = large_volume(order)
        print(f"460x512x160 to 2 mm, {order} order: {best(lambda v=volume: to_working_grid(v)) * 1000:.0f} ms")  # type: ignore[misc]


def bench_pack() -> None:
    """Packing of a mask-like image."""
    grids = np.meshgrid(*[np.linspace(-1, 1, 256)] * 3, indexing="ij")
    mask = (
        (sum(g**2 for g in grids) + 0.02 * np.random.default_rng(0).random((256,) * 3) < 0.5).astype(np.uint8).tobytes()
    )
    fast, slow = best(lambda: igzip.compress(mask, 2)), best(lambda: gzip.compress(mask, 6))
    sizes = len(igzip.compress(mask, 2)) / len(gzip.compress(mask, 6))
    print(f"pack a 256^3 mask: isal 2 {fast * 1000:.0f} ms, zlib 6 {slow * 1000:.0f} ms")
    print(f"  ratio {slow / fast:.1f}, size ratio {sizes:.2f}")


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data" / "scans"
    if folder.is_dir():
        bench_gzip(sorted(folder.glob("*.nii.gz")))
        bench_read(folder)
    bench_conform()
    bench_pack()


if __name__ == "__main__":
    main()
