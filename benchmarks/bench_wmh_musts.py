"""The lesion task on real scans, and what it says of one scan that is mirrored, turned, stored obliquely or resampled.

    python benchmarks/bench_wmh_musts.py [--model runs/wmh/wmh.onnx] [--label-maps ../shared/data/label_maps]

Real (nothing of it was learnt from where the card does not say so): volume in each T1w brain of mostly healthy adults,
and Dice, volume difference and lesion F1 of two patients, T1w alone. Simulated: one person with 8 to 30 mL for each of
four validation label maps, and the patient with many lesions, each in five ways; volumes by the first way's. What a
model reaches on simulated people its card says.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from brainsift.anatomy.compute import compute_anatomy
from brainsift.evaluate.segmentation.scan import score_masks
from brainsift.learn.as_read import GREY_LEVELS, as_volume
from brainsift.models.session import load_onnx
from brainsift.scans.conform import conform, rotate_to_ras
from brainsift.scans.read import read_file
from brainsift.scans.volume import Volume
from brainsift.simulate.labelmap import load_label_map
from brainsift.simulate.lesions.example import draw_wmh_example
from brainsift.simulate.lesions.shapes import load_shapes
from brainsift.tasks.wmh.model import WmhNetwork, network_of, open_wmh_network
from brainsift.tasks.wmh.native import to_native
from brainsift.tasks.wmh.network import MODEL, prepare
from brainsift.tasks.wmh.task import Measured, measure

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PATIENTS = ("p19", "p07")
TURN_DEG, COARSE_MM = 15.0, 1.5
SIMULATED_ML = (8.0, 30.0)
SEED = 4_000


def ask(network: WmhNetwork, volume: Volume) -> Measured:
    """All figures of one scan."""
    anatomy = compute_anatomy(volume)
    prepared = prepare(volume, anatomy)
    native = to_native(network.ask(prepared), prepared.affine, volume)
    return measure(native, anatomy, network.threshold, network.min_lesion_mm3)


def told_ml(measured: Measured) -> float:
    """Volume of the mask, mL."""
    return measured.marked.volume_mm3 / 1000


def on_real_brains(network: WmhNetwork, folder: Path) -> None:
    """Volumes in mostly healthy adults."""
    found = {p.name.split(".")[0]: told_ml(ask(network, read_file(p))) for p in sorted(folder.glob("t1w_brain_*"))}
    print("real, mostly healthy: " + ", ".join(f"{name} {ml:.2f}" for name, ml in found.items()) + " mL")
    for name, part in (("all", list(found.values())), ("09-12", [ml for key, ml in found.items() if key[-2:] >= "09"])):
        if part:
            print(f"  {name}: median {np.median(part):.2f} mL, most {max(part):.2f} mL (n={len(part)})")


def on_patients(network: WmhNetwork, folder: Path) -> None:
    """Two patients with multiple sclerosis against the consensus of raters who saw FLAIR."""
    for name in PATIENTS:
        if not (folder / f"{name}_T1.nii.gz").is_file():
            continue
        measured = ask(network, read_file(folder / f"{name}_T1.nii.gz"))
        reference = read_file(folder / f"{name}_GOLD_STANDARD.nii.gz")
        found = measured.native.whole(measured.marked.mask)
        one = score_masks(reference.data > 0, found, reference.spacing.tolist())
        print(
            f"real, {name}: {one.reference_ml:.1f} mL by raters, {one.result_ml:.1f} found; Dice {one.dice:.2f}, "
            f"volume {one.avd_percent:.0f} % off, lesion F1 {one.lesion_f1:.2f}, recall {one.lesion_recall:.2f}"
        )


def ways(volume: Volume) -> Iterator[tuple[str, Volume]]:
    """A scan as it is, and in other ways."""
    image, affine = volume.data / np.float32(GREY_LEVELS), volume.affine
    spacing = float(min(volume.spacing))
    yield "as it is", volume
    yield "mirrored", as_volume(np.ascontiguousarray(image[::-1]), affine)
    for axis in "xyz":
        turned: NDArray[np.float64] = np.eye(4)
        turned[:3, :3] = Rotation.from_euler(axis, TURN_DEG, degrees=True).as_matrix()
        if axis == "x":
            yield "stored obliquely", as_volume(image, turned @ affine)
        array, grid = rotate_to_ras(image, turned @ affine, spacing)
        yield f"turned about {axis}", as_volume(array, grid)
    coarse, grid = conform(volume, COARSE_MM)
    yield f"{COARSE_MM:g} mm", as_volume(coarse / np.float32(GREY_LEVELS), grid)


def tell_ways(name: str, network: WmhNetwork, volume: Volume) -> list[float]:
    """One line: volumes in all ways; returns the changes in per cent."""
    told = {way: told_ml(ask(network, other)) for way, other in ways(volume)}
    first, *others = told.values()
    changes = [100 * (ml - first) / first for ml in others]
    rest = ", ".join(f"{way} {change:+.1f} %" for way, change in zip(list(told)[1:], changes, strict=True))
    print(f"{name}: {first:.2f} mL; {rest}", flush=True)
    return changes


def in_other_ways(network: WmhNetwork, label_maps: Path, data: Path) -> None:
    """Simulated people of the validation label maps, and the patient with many lesions."""
    changes = []
    shapes = load_shapes(data / "lesion_masks") if (data / "lesion_masks").is_dir() else None
    for number, path in enumerate(sorted(label_maps.glob("head_*"))[-4:]):
        rng = np.random.default_rng([SEED, number])
        load = float(np.exp(rng.uniform(*np.log(SIMULATED_ML))))
        drawn = draw_wmh_example(rng, load_label_map(path), shapes=shapes, load_ml=load, flair=False, coarse=False)
        changes += tell_ways(f"simulated, {path.name[:7]}", network, as_volume(drawn.t1w, drawn.t1w_affine))
    patient = data / "wmh" / "p19_T1.nii.gz"
    if patient.is_file():
        seen = read_file(patient)
        scale = np.float32(np.percentile(seen.data[seen.data > 0], 99))
        changes += tell_ways("real, p19", network, as_volume(np.maximum(seen.data, 0) / scale, seen.affine))
    within = float(np.mean(np.abs(changes) < 10))
    worst = max(np.abs(changes))
    print(f"volume changes by less than 10 % in {within:.0%} of {len(changes)}; at the most by {worst:.0f} %")


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--label-maps", type=Path, default=DATA / "label_maps")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    if given.model is None:
        network = open_wmh_network(given.threads)
    else:
        network = network_of(load_onnx(given.model, MODEL, given.threads), given.model.name, "0" * 64)
    print(f"model {network.model_id}, threshold {network.threshold:g}, from {network.min_lesion_mm3:g} mm3 on")
    on_real_brains(network, given.data / "scans")
    on_patients(network, given.data / "wmh")
    in_other_ways(network, given.label_maps, given.data)


if __name__ == "__main__":
    main()
