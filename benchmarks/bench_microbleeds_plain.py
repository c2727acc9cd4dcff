"""Microbleeds that another simulation paints: plain balls in heads of constant grey values, told by their size.

    python benchmarks/bench_microbleeds_plain.py --label-maps DIR [--models FOLDER] [--heads …] [--each 3]

Our own simulation is physics: fields, phase, veins, drop-out. Networks may learn its looks instead of what a bleed is.
Here a head has one grey value a tissue, a smooth field and Rician noise, and ten balls of 3 to 9 mm with soft edges
that take most of the signal (or add 0.2 to 0.6 ppm): no blooming, no vessel, nothing else that is dark in the brain.
The task's own code is run, clean-up included. `--models` names a folder with both ONNX files, else the packaged ones.
Everything printed is simulated; intervals resample people.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from bench_microbleeds import HEADS, map_of, number_of, open_networks
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.anatomy.cleaning import is_any
from brainsift.anatomy.compute import compute_anatomy
from brainsift.anatomy.labels import BRAIN, Tissue, group_freesurfer
from brainsift.evaluate.detection.marks import Marks, marks_of_points
from brainsift.evaluate.detection.match import match_marks
from brainsift.evaluate.intervals import bootstrap_rows
from brainsift.learn.as_read import as_volume
from brainsift.learn.microbleeds.build import MODALITIES
from brainsift.scans.errors import ScanError
from brainsift.simulate.labelmap import LabelMap, load_label_map
from brainsift.simulate.separable import spline_field
from brainsift.simulate.susceptibility.example import Modality
from brainsift.tasks.microbleeds.find import find_bleeds
from brainsift.tasks.microbleeds.model import BleedNetworks, open_bleed_networks
from brainsift.tasks.microbleeds.network import prepare

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

LEVELS: dict[Modality, tuple[float, ...]] = {
    "gre": (0.02, 0.35, 0.75, 0.85, 1.0, 1.0, 0.65, 0.8, 0.72, 0.78),
    "swi": (0.02, 0.25, 0.7, 0.75, 0.95, 0.95, 0.55, 0.7, 0.68, 0.72),
    "qsm": (0.0, 0.0, -0.02, 0.01, 0.0, 0.0, 0.06, 0.01, -0.01, 0.01),
}
"""Grey value, or ppm, of each class of the anatomy pass."""

SEED = 8_000_000
BALLS, APART_MM = 10, 14.0
DIAMETERS_MM = (3.0, 9.0)
LEFT, PPM = (0.05, 0.3), (0.2, 0.6)
"""Of the signal within a ball; of susceptibility."""

EDGE_MM, WINDOW_MM = 0.35, 8.0
FIELD_MM, FIELD_SHARE = 60.0, 0.15
NOISE, NOISE_PPM = (0.01, 0.03), (0.008, 0.02)
SLICES = (1, 2)
"""Voxels of the label map that a slice is thick."""

LEAST_AIR = 10_000
"""Voxels of a piece that is air."""

SIZES_MM = (3.0, 4.0, 5.0, 7.0, 9.01)


@dataclass(frozen=True)
class Case:
    """One scan: whose, as what, the balls' diameters, which were found, and how many marks are false."""

    head: str
    modality: Modality
    diameter_mm: Float64
    found: NDArray[np.bool_]
    looked_at: NDArray[np.bool_]
    false: int


def without_specks(tissue: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What no label names within a head is fluid: a dark speck in fluid would look like a bleed, and be none."""
    pieces, _ = ndimage.label(tissue == 0)
    small = np.bincount(pieces.ravel()) < LEAST_AIR
    return np.where((tissue == 0) & small[pieces], np.uint8(Tissue.CSF), tissue)


def draw_balls(rng: np.random.Generator, tissue: NDArray[np.uint8], mm: float) -> tuple[Float64, Float64]:
    """Centres in voxels, (N, 3), and diameters, in the brain and apart from each other."""
    inside = np.argwhere(is_any(tissue, (Tissue.WHITE, Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.CEREBELLUM)))
    centres: list[Float64] = []
    while len(centres) < BALLS:
        one = inside[rng.integers(len(inside))].astype(float)
        if all(np.linalg.norm(one - other) * mm >= APART_MM for other in centres):
            centres.append(one)
    return np.array(centres), rng.uniform(*DIAMETERS_MM, BALLS)


def paint(
    rng: np.random.Generator, modality: Modality, tissue: NDArray[np.uint8], mm: float, balls: tuple[Float64, Float64]
) -> Float32:
    """The image of a head, (X, Y, Z), without noise."""
    image = np.array(LEVELS[modality], np.float32)[tissue]
    reach = int(np.ceil(WINDOW_MM / mm))
    for centre, diameter in zip(*balls, strict=True):
        at = centre.astype(int)
        box = tuple(slice(max(0, c - reach), c + reach + 1) for c in at)
        grid = np.stack(np.meshgrid(*(np.arange(image.shape[i])[s] for i, s in enumerate(box)), indexing="ij"), -1)
        away = np.linalg.norm(grid - centre, axis=-1) * mm
        share = (1 / (1 + np.exp((away - diameter / 2) / EDGE_MM))).astype(np.float32)
        inside = np.float32(rng.uniform(*PPM)) if modality == "qsm" else image[box] * np.float32(rng.uniform(*LEFT))
        image[box] += share * (inside - image[box])
    return image


def acquire(rng: np.random.Generator, modality: Modality, image: Float32, tissue: NDArray[np.uint8]) -> Float32:
    """Field and noise; a susceptibility map is masked to the brain."""
    if modality == "qsm":
        noisy = image + rng.normal(0, rng.uniform(*NOISE_PPM), image.shape).astype(np.float32)
        return np.where(ndimage.binary_fill_holes(is_any(tissue, BRAIN)), noisy, np.float32(0)).astype(np.float32)
    x, y, z = image.shape
    field = np.exp(np.float32(FIELD_SHARE) * spline_field(rng, (x, y, z), FIELD_MM))
    level = rng.uniform(*NOISE)
    real, imaginary = (rng.normal(0, level, image.shape).astype(np.float32) for _ in range(2))
    return np.asarray(np.hypot(image * field + real, imaginary), np.float32)


def ask(networks: BleedNetworks, head: LabelMap, name: str, draw: int) -> list[Case]:
    """Draw a head and ask about it as each modality."""
    rng = np.random.default_rng([SEED, number_of(name), draw])
    tissue = without_specks(group_freesurfer(head.values)[head.codes])
    thick = SLICES[draw % len(SLICES)]
    tissue = tissue[:, :, : tissue.shape[2] // thick * thick]
    balls = draw_balls(rng, tissue, head.spacing_mm)
    fine = np.diag([head.spacing_mm] * 3 + [1.0])
    reference = marks_of_points(balls[0] * head.spacing_mm, balls[1])
    affine = fine @ np.diag([1.0, 1.0, float(thick), 1.0])
    affine[2, 3] = (thick - 1) / 2 * head.spacing_mm
    cases = []
    for modality in MODALITIES:
        image = paint(rng, modality, tissue, head.spacing_mm, balls)
        sliced = image.reshape(*image.shape[:2], -1, thick).mean(axis=3)
        scan = acquire(rng, modality, sliced, tissue[:, :, ::thick])
        volume = as_volume(scan, affine, magnitude=modality != "qsm")
        counted, looked = marks_of_points([]), marks_of_points([])
        try:
            anatomy = compute_anatomy(volume)
            found = find_bleeds(volume, anatomy, prepare(volume, anatomy, modality), networks)
            places = [(one.x_mm, one.y_mm, one.z_mm) for one in found.looked]
            definite = [one.verdict == "definite" for one in found.looked]
            counted = marks_of_points([place for place, kept in zip(places, definite, strict=True) if kept])
            looked = marks_of_points(places)
        except ScanError as error:
            print(f"{name} {modality}: refused, {error.cause}")
        hit, seen = hits(reference, counted), hits(reference, looked)
        cases.append(Case(name, modality, balls[1], hit, seen, len(counted) - int(hit.sum())))
    return cases


def hits(reference: Marks, marks: Marks) -> NDArray[np.bool_]:
    """(R,) which of the balls a mark hits."""
    found: NDArray[np.bool_] = match_marks(reference, marks).hit_by >= 0
    return found


def table(cases: Sequence[Case]) -> None:
    """Print the share of balls that is counted, by size, and false marks."""
    names = [f"{low:g} to {high:.0f} mm" for low, high in pairwise(SIZES_MM)]
    print(f"| | {' | '.join(names)} | all | of them candidates | false a scan |")
    print("|---" * (len(names) + 4) + "|")
    for modality in MODALITIES:
        some = [case for case in cases if case.modality == modality]
        size = np.concatenate([case.diameter_mm for case in some])
        found = np.concatenate([case.found for case in some])
        seen = np.concatenate([case.looked_at for case in some])
        cells = []
        for low, high in pairwise(SIZES_MM):
            here = (size >= low) & (size < high)
            cells.append(f"{found[here].mean():.2f} (n={here.sum()})" if here.any() else "-")
        heads = [case.head for case in some for _ in case.found]
        whole = bootstrap_rows(lambda rows, found=found: float(found[rows].mean()), len(found), heads)  # type: ignore[misc]
        false = np.mean([case.false for case in some])
        print(f"| {modality.upper()} | {' | '.join(cells)} | {whole} | {seen.mean():.2f} | {false:.2f} |")


def main() -> None:
    """Parse, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label-maps", type=Path, default=Path("../shared/data/label_maps"))
    parser.add_argument("--models", type=Path)
    parser.add_argument("--heads", nargs="+", default=HEADS)
    parser.add_argument("--each", type=int, default=3)
    options = parser.parse_args()
    networks = open_bleed_networks() if options.models is None else open_networks(options.models)
    cases = []
    for name in options.heads:
        head = load_label_map(map_of(options.label_maps, name))
        for draw in range(options.each):
            cases += ask(networks, head, name, draw)
    print(f"simulated otherwise than what was learnt from; {len(cases)} scans of {len(options.heads)} people")
    table(cases)


if __name__ == "__main__":
    main()
