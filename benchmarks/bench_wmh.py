"""The lesion task on whole scans: seconds of each step and peak memory, beside PyTorch eager.

    python benchmarks/bench_wmh.py [SCAN ...] [--model runs/wmh/wmh.onnx] [--threads 2]

Without SCAN, T1w scans of ../shared/data. Without a model the packaged one; where there is none, an untrained network
of the same size, which takes the same time (needs torch, and its memory), with a load of lesions put in by hand. Prints
wall seconds per step (processor seconds in brackets: on a busy machine only those can be compared), the volume found,
and the process's peak memory after each scan.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np

from brainsift.anatomy.compute import compute_anatomy
from brainsift.models.errors import ModelError
from brainsift.models.session import load_onnx
from brainsift.scans.read import read_file
from brainsift.tasks.wmh.model import WmhNetwork, network_of, open_wmh_network
from brainsift.tasks.wmh.native import to_native
from brainsift.tasks.wmh.network import MODEL, Prepared, prepare
from brainsift.tasks.wmh.task import drawn_of, finding_of, measure

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DEFAULT_SCANS = ("wmh/p19_T1.nii.gz", "scans/t1w_brain_01.nii.gz")
UNTRAINED = "untrained"
EXAMPLE = 48
"""Voxels a side of the input that an untrained network is exported with."""

NEAR = 0.7
"""Nearness to the ventricles of the lesions put in: 6 mm."""

T = TypeVar("T")


def timed(name: str, work: Callable[[], T]) -> T:
    """Do it, and print what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    print(f"  {name:22s} {time.perf_counter() - wall:6.2f} s ({time.process_time() - cpu:5.2f} s)", flush=True)
    return result


def untrained(threads: int) -> WmhNetwork | None:
    """A network of the packaged one's size with random weights; None without torch."""
    if find_spec("torch") is None:
        return None
    import torch

    from brainsift.learn.export import export_onnx
    from brainsift.learn.wmh.net import WmhNet
    from brainsift.tasks.wmh.network import CHANNELS

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wmh.onnx"
        export_onnx(WmhNet(), path, torch.rand(1, len(CHANNELS), *[EXAMPLE] * 3))
        return network_of(load_onnx(path, MODEL, threads), UNTRAINED, "0" * 64)


def find_network(model: Path | None, threads: int) -> WmhNetwork | None:
    """The network of a file, the packaged one, or an untrained one."""
    if model is not None:
        return network_of(load_onnx(model, MODEL, threads), model.name, "0" * 64)
    try:
        return open_wmh_network(threads)
    except ModelError:
        return untrained(threads)


def eager(prepared: Prepared, threads: int) -> None:
    """The same network in PyTorch, untrained: weights change no time."""
    if find_spec("torch") is None:
        print("  PyTorch eager          not installed")
        return
    import torch

    from brainsift.learn.wmh.net import WmhNet

    torch.set_num_threads(threads)
    net, image = WmhNet().eval(), torch.from_numpy(prepared.input[None])
    with torch.no_grad():
        timed("PyTorch eager", lambda: net(image))


def measure_scan(path: Path, network: WmhNetwork, threads: int) -> Prepared:
    """One scan, step by step."""
    print(path.name)
    volume = timed("read", lambda: read_file(path))
    anatomy = timed("anatomy", lambda: compute_anatomy(volume, threads=threads))
    prepared = timed("prepare", lambda: prepare(volume, anatomy))
    found = timed("network", lambda: network.ask(prepared))
    if network.model_id == UNTRAINED:  # noise everywhere: take a load of lesions as real ones are
        found[:] = np.where(prepared.input[1] * (prepared.input[3] > NEAR) > 0.5, np.float32(0.9), np.float32(0))
    native = timed("to the scan's grid", lambda: to_native(found, prepared.affine, volume))
    told = timed("measure", lambda: measure(native, anatomy, network.threshold, network.min_lesion_mm3))
    finding = finding_of(told, network, volume, anatomy)
    timed("table and picture", lambda: drawn_of(finding, told, network, volume, anatomy, pictures=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    box = " x ".join(str(n) for n in prepared.input.shape[1:])
    print(
        f"  {finding.measurements['volume_ml']} mL, {finding.measurements['count']} lesions, box {box}, {peak:.0f} MB"
    )
    return prepared


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", nargs="*", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    scans = arguments.scans or [DATA / name for name in DEFAULT_SCANS if (DATA / name).is_file()]
    network = find_network(arguments.model, arguments.threads)
    if network is None or not scans:
        print("nothing to measure: " + ("there is no model and no torch" if scans else "there are no scans"))
        return
    print(f"model {network.model_id}, threads {arguments.threads}")
    for path in scans:
        prepared = measure_scan(path, network, arguments.threads)
    eager(prepared, arguments.threads)


if __name__ == "__main__":
    main()
