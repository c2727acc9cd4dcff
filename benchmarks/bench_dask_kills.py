"""A run on a Dask cluster of this machine whose processes are killed -9: each scan once, answers as if undisturbed.

    python benchmarks/bench_dask_kills.py [--scans 300] [--kills 10] [--workers 2] [--source FOLDER] [--seed 0]

Scans are those of FOLDER, or simulated heads, of which some are drawn and the others are the same with other noise, so
that every scan has a content of its own. The run is made twice with all quality tasks: once in peace, and once while
Dask workers and the processes below them are killed in turn at random moments. Compared are all columns of the study
table but the seconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine.cluster.kills import answers, kill_during  # noqa: E402

DRAWN = 12
"""Heads that are simulated; the rest of the scans are these with other noise."""


def make_scans(folder: Path, scans: int, seed: int) -> Path:
    """Simulated heads in `folder`."""
    import nibabel as nib
    import numpy as np

    from brainsift.simulate.demo import write_demo_study

    drawn = folder / "drawn"
    write_demo_study(drawn, min(DRAWN, scans), seed)
    sources = sorted(drawn.rglob("*.nii.gz"))
    rng, made = np.random.default_rng(seed), folder / "scans"
    made.mkdir()
    for number in range(scans):
        source = sources[number % len(sources)]
        target = made / f"scan{number:04}.nii.gz"
        try:
            image = nib.load(source)
            data = np.asanyarray(image.dataobj).astype(np.float32)
        except Exception:  # Some files of the demo are broken on purpose.
            target.write_bytes(source.read_bytes() + bytes([number % 256]))
            continue
        noise = rng.normal(0, 0.002 * float(data.max() or 1), data.shape).astype(np.float32)
        nib.save(nib.Nifti1Image(np.abs(data + noise), image.affine), target)
    return made


def start(source: Path, output: Path, workers: int) -> subprocess.Popen[str]:
    """`brainsift run --dask local`."""
    program = "from brainsift.cli.main import main; main()"
    tasks = [word for task in ("integrity", "quality", "defacing") for word in ("--task", task)]
    options = ["--dask", "local", "--nprocs", str(workers), *tasks]
    command = [sys.executable, "-c", program, "run", str(source), str(output), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def main() -> int:
    """Run twice and compare; 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scans", type=int, default=300)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as place:
        folder = Path(place)
        source = told.source or make_scans(folder, told.scans, told.seed)
        found = {}
        for name, kills in (("in peace", 0), ("with kills", told.kills)):
            output = folder / name.replace(" ", "_")
            begin = perf_counter()
            process = start(source, output, told.workers)
            killed = kill_during(process.pid, output, told.scans, kills, told.seed) if kills else []
            out, err = process.communicate()
            if process.returncode not in (0, 1):
                sys.exit(f"{name}: exit code {process.returncode}\n{out}{err}")
            found[name] = answers(output)
            print(f"{name}: {len(found[name])} rows, {len(killed)} kills, {perf_counter() - begin:.0f} s", flush=True)
    peace, hurt = found["in peace"], found["with kills"]
    different = [scan for scan in peace if hurt.get(scan) != peace[scan]]
    print(f"{len(different)} of {len(peace)} scans differ; {len(hurt.keys() - peace.keys())} are too many")
    for scan in different[:5]:
        columns = [name for name, cell in peace[scan].items() if hurt.get(scan, {}).get(name) != cell]
        print(f"  {scan}: {', '.join(columns)}")
    return 1 if different or hurt.keys() != peace.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
