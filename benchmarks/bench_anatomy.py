"""Measure the anatomy pass: landmark error, cut share, and time per scan.

    python benchmarks/bench_anatomy.py ../shared/data [--network] [--scans] [--pairs]

`--network` takes the landmarks from the packaged networks' labels of simulated images too; `--scans` prints a line for
every real scan; `--pairs` tells how well the labels of two scans of one person in different contrasts agree. Without
them only true labels count. Dice is in the model card, which `brainsift train anatomy` writes.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import clean_labels
from brainsift.anatomy.compute import compute_anatomy
from brainsift.anatomy.coverage import estimate_coverage
from brainsift.anatomy.fov import FieldOfView
from brainsift.anatomy.framing import frame_head
from brainsift.anatomy.labels import N_TISSUES, Tissue, group_freesurfer
from brainsift.anatomy.mni import fit_affine
from brainsift.anatomy.mni_reference import MNI_CENTRES_MM, label_centres, load_reference, read_label_map
from brainsift.anatomy.moments import CLASSES, cloud_from_labels
from brainsift.anatomy.network import open_network
from brainsift.anatomy.normalise import normalise
from brainsift.evaluate.segmentation.overlap import dice
from brainsift.scans.read import read_file

VALIDATION = (17, 18, 19, 20)
CUTS_PER_KIND = 6
MAX_RELATIVE_CUT = 0.6
IMAGES_PER_HEAD = 5

VISITS = {
    "wmh/p07_{}.nii.gz": ("T1", "T2", "FLAIR"),
    "wmh/p19_{}.nii.gz": ("T1", "FLAIR"),
    "scans/{}_2d_p01_s1_defaced.nii.gz": ("t1w", "t2w", "flair"),
    "scans/{}_2d_p01_s2_defaced.nii.gz": ("t1w", "flair"),
    "scans/{}_2d_p03_s2_defaced.nii.gz": ("t1w", "flair"),
    "scans/{}_2d_p04_s1_defaced.nii.gz": ("t1w", "flair"),
}
"""Scans of one person in several contrasts, which lie on one another: of voxels of 1 mm, then of thick slices."""

Labels = NDArray[np.uint8]
Affine = NDArray[np.float64]


def validation_maps(data: Path) -> Iterator[tuple[int, Labels, Affine, NDArray[np.float64]]]:
    """Number, classes at 2 mm, affine and (14, 3) true subcortical centres in mm of every validation map."""
    for number in VALIDATION:
        labels, affine = read_label_map(data / "label_maps" / f"head_{number}_labels.nii.gz")
        centres = np.array(list(label_centres(labels, affine).values()))
        yield number, group_freesurfer(labels[::2, ::2, ::2]), affine @ np.diag([2.0, 2.0, 2.0, 1.0]), centres


def landmark_errors(labels: Labels, affine: Affine, centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance in mm of the true centres, taken to MNI152 by the fit, from the published ones; NaN without a fit."""
    fov = FieldOfView.of_grid(labels.shape, affine)
    fit = fit_affine(cloud_from_labels(labels, affine), fov, load_reference())
    if fit is None:
        return np.full(len(centres), np.nan)
    moved = centres @ fit.affine[:3, :3].T + fit.affine[:3, 3]
    errors: NDArray[np.float64] = np.linalg.norm(moved - np.array(list(MNI_CENTRES_MM.values())), axis=1)
    return errors


def cuts(brain: NDArray[np.bool_], rng: np.random.Generator) -> Iterator[tuple[str, tuple[slice, ...]]]:
    """Boxes that cut the brain from one side, to a slab, and to a crop."""
    index = np.argwhere(brain)
    low, high = index.min(axis=0), index.max(axis=0) + 1
    size = high - low
    for _ in range(CUTS_PER_KIND):
        for name, axis, side in (("crown", 2, 1), ("base", 2, 0), ("front", 1, 1), ("back", 1, 0), ("side", 0, 0)):
            start, stop = np.zeros(3, int), np.array(brain.shape)
            depth = int(rng.uniform(0.03, MAX_RELATIVE_CUT) * size[axis])
            start[axis], stop[axis] = (0, high[axis] - depth) if side else (low[axis] + depth, stop[axis])
            yield name, tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
        start, stop = np.zeros(3, int), np.array(brain.shape)
        start[2] = low[2] + int(rng.uniform(0.2, 0.5) * size[2])
        stop[2] = start[2] + int(rng.uniform(0.2, 0.5) * size[2])
        yield "slab", tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
        width = rng.uniform(0.3, 0.8) * size
        start = (low + rng.uniform(0.2, 0.8, 3) * (size - width)).astype(int)
        yield "crop", tuple(slice(int(a), int(a + w)) for a, w in zip(start, width, strict=True))


def cut_error(labels: Labels, affine: Affine, box: tuple[slice, ...]) -> float:
    """Estimated minus true share of the brain outside the box."""
    brain = np.isin(labels, [int(tissue) for tissue in CLASSES])
    part = labels[box]
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ [s.start for s in box]
    cloud, fov = cloud_from_labels(part, moved), FieldOfView.of_grid(part.shape, moved)
    fit = fit_affine(cloud, fov, load_reference())
    estimate = estimate_coverage(cloud, None if fit is None else fit.affine, fov, load_reference()).outside_fov
    return estimate - float(1 - brain[box].sum() / brain.sum())


def bench_labels(data: Path) -> None:
    """Landmarks and cuts from the true labels."""
    errors, by_kind = [], defaultdict(list)
    rng = np.random.default_rng(0)
    for _, labels, affine, centres in validation_maps(data):
        errors.append(landmark_errors(labels, affine, centres))
        for kind, box in cuts(np.isin(labels, [int(tissue) for tissue in CLASSES]), rng):
            by_kind[kind].append(cut_error(labels, affine, box))
    _print_landmarks("true labels", np.concatenate(errors))
    for kind, values in by_kind.items():
        off = np.array(values)
        print(
            f"cut {kind:6s} n={len(off)}  MAE {abs(off).mean():.3f}  bias {off.mean():+.3f}  worst {abs(off).max():.3f}"
        )


def _print_landmarks(source: str, errors: NDArray[np.float64]) -> None:
    q = np.nanpercentile(errors, [50, 25, 75, 95])
    print(
        f"landmarks, {source}: median {q[0]:.1f} mm (quartiles {q[1]:.1f}-{q[2]:.1f}, 95 % {q[3]:.1f}), n={len(errors)}"
    )


def bench_network(data: Path) -> None:
    """Landmarks from the networks' labels of simulated images, in contrasts that no scanner has to give."""
    network, rng, errors = open_network(), np.random.default_rng(1), []
    for _, labels, affine, centres in validation_maps(data):
        for _ in range(IMAGES_PER_HEAD):
            image = paint(labels, rng)
            frame = frame_head(image)
            posterior = network.posterior(normalise(frame.cut(image)))
            found, _ = clean_labels(posterior, frame.inside(image.shape))
            errors.append(landmark_errors(found, frame.affine(affine), centres))
    _print_landmarks("labels of the networks", np.concatenate(errors))


def paint(labels: Labels, rng: np.random.Generator) -> NDArray[np.float32]:
    """Image with one random grey value per class, blur and noise."""
    grey = rng.uniform(0.05, 1.0, N_TISSUES).astype(np.float32)
    grey[Tissue.BACKGROUND] = 0.0
    clean = gaussian_filter(grey[labels], 0.5)
    return np.abs(clean + rng.normal(0, 0.02, labels.shape)).astype(np.float32)


def bench_scans(data: Path) -> None:
    """What the pass says of every real scan, and how long it takes with and without reading."""
    network = open_network()
    for path in sorted((data / "scans").glob("*.nii*")):
        start = time.perf_counter()
        volume = read_file(path)
        read = time.perf_counter()
        a = compute_anatomy(volume, network)
        residual = "none" if a.mni_residual_mm is None else f"{a.mni_residual_mm:.1f}"
        print(
            f"{path.name:34s} brain {a.brain_ml:6.0f} mL  icv {a.icv_ml:6.0f}  outside {a.outside_fov:.2f}  "
            f"residual {residual:>4s} mm  confidence {a.confidence:.2f}  "
            f"read {read - start:.2f} s  anatomy {time.perf_counter() - read:.2f} s"
        )


def agreement(one: Anatomy, other: Anatomy) -> tuple[float, float]:
    """Dice of the brain, and mean Dice of its tissues, of two anatomies of one head."""
    step = np.linalg.inv(other.affine) @ one.affine
    labels = affine_transform(other.labels, step[:3, :3], step[:3, 3], one.labels.shape, order=0)
    brain = affine_transform(other.brain.astype(np.uint8), step[:3, :3], step[:3, 3], one.labels.shape, order=0) > 0
    tissues = [dice(one.labels == tissue, labels == tissue) for tissue in CLASSES]
    return dice(one.brain, brain), float(np.mean(tissues))


def bench_pairs(data: Path) -> None:
    """How much the labels of a person depend on the contrast. No truth is known of these scans."""
    seen = cache(lambda path: compute_anatomy(read_file(path)))
    found = []
    for visit, contrasts in VISITS.items():
        for one, other in combinations([data / visit.format(contrast) for contrast in contrasts], 2):
            found.append(agreement(seen(one), seen(other)))
            print(f"{one.name:34s} {other.name:34s} brain {found[-1][0]:.3f}  tissues {found[-1][1]:.3f}", flush=True)
    brain, tissues = np.mean(found, axis=0)
    print(f"mean: brain {brain:.3f}, tissues {tissues:.3f}, n={len(found)} pairs")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--scans", action="store_true")
    parser.add_argument("--pairs", action="store_true")
    options = parser.parse_args()
    bench_labels(options.data)
    if options.network:
        bench_network(options.data)
    if options.scans:
        bench_scans(options.data)
    if options.pairs:
        bench_pairs(options.data)


if __name__ == "__main__":
    main()
