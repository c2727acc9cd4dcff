"""Image quality metrics: what they cost, how they follow noise and motion, and how real scans lie in MRIQC's range.

    python benchmarks/bench_quality_metrics.py ../shared/data [--real]

`--real` runs the anatomy networks on real scans, which takes a minute.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from scipy.stats import spearmanr

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import BRAIN, Tissue, group_freesurfer
from brainsift.learn.as_read import as_volume
from brainsift.scans.conform import labels_to_input, to_working_grid
from brainsift.scans.volume import Volume
from brainsift.simulate.acquire import add_rician_noise
from brainsift.simulate.artefacts.course import draw_motion
from brainsift.simulate.artefacts.motion import apply_motion
from brainsift.simulate.coverage import Coverage
from brainsift.simulate.head import HeadParameters, SimulatedHead, draw_head, render_head
from brainsift.simulate.labelmap import load_label_map
from brainsift.tasks.quality.metrics import Metrics, compute_metrics

SHAPE = (192, 224, 192)
HEADS = (17, 18, 19, 20)
NOISE = (0.005, 0.01, 0.02, 0.04, 0.08, 0.12)
"""Standard deviation of complex noise over the brightest tissue."""

SEVERITY = (0.0, 0.3, 0.6, 1.0, 1.5, 2.0)
STILL_NOISE = 0.015
WHOLE = Coverage((-np.inf,) * 3, (np.inf,) * 3, "none", 0.0, False, 0.0)
Rows = dict[int, list[tuple[float, Metrics]]]
"""Head → what was done to it, and its metrics."""

SHOWN = ("snr_wm", "snr_total", "snrd_total", "cnr", "cjv", "efc", "fber", "inu_range", "wm2max", "qi_1", "fwhm_avg",
         "summary_bg_stdv", "summary_bg_mad", "summary_bg_k")  # fmt: skip
RANGE_SHOWN = ("snr_csf", "snr_gm", "snr_wm", "snr_total", "snrd_total", "cnr", "cjv", "efc", "fber", "inu_range",
               "inu_med", "wm2max", "qi_1", "fwhm_avg", "icvs_csf", "icvs_gm", "icvs_wm", "summary_gm_median",
               "summary_csf_median", "summary_wm_stdv", "summary_gm_mad", "summary_bg_mad")  # fmt: skip
REAL = ("t1w_head_a", "t1w_head_b", "t1w_head_c_defaced", "t1w_brain_01", "t1w_brain_02")


def still_head(data: Path, number: int) -> SimulatedHead:
    """A T1w of a validation head without noise, whole, a little bias."""
    rng = np.random.default_rng(number)
    head = load_label_map(data / "label_maps" / f"head_{number:02d}_labels.nii.gz")
    drawn = draw_head(rng, head, "mprage")
    acquisition = replace(drawn.acquisition, resolution_mm=(1.0, 1.0, 1.0), bias=0.15, noise=0.0, ghost=0.0, gamma=1.0)
    parameters = HeadParameters(drawn.deformation, drawn.contrast, WHOLE, acquisition)
    return render_head(head, parameters, SHAPE, 1.0)


def true_anatomy(volume: Volume, native: np.ndarray) -> Anatomy:
    """The labels that the image was made from, at 2 mm."""
    image, affine = to_working_grid(volume)
    onto = replace(volume, data=image, affine=affine)
    labels = labels_to_input(group_freesurfer(native), volume.affine, onto)
    counts = np.bincount(labels.reshape(-1), minlength=len(Tissue))
    volumes = {tissue.name.lower(): 8e-3 * float(counts[tissue]) for tissue in Tissue if tissue}
    brain = np.isin(labels, BRAIN)
    return Anatomy(labels, affine, image, brain, volumes, 0.0, 0.0, 0.0, None, None, 1.0, True, "truth", "0" * 64)


def table(title: str, heads: Rows) -> None:
    """Rank correlation of each metric with what was done, per head and over all, and its median at both ends."""
    rows = [row for found in heads.values() for row in found]
    low, high = np.percentile([amount for amount, _ in rows], [34, 66])
    print(f"\n{title} (n = {len(rows)})\n| metric | Spearman in a head | over heads | lowest third | highest third |")
    print("|---|---|---|---|---|")
    for name in SHOWN:
        found = [(amount, metrics[name]) for amount, metrics in rows if metrics[name] is not None]
        within = [_spearman([(amount, metrics[name]) for amount, metrics in each]) for each in heads.values()]
        ends = [median(v for a, v in found if a <= low), median(v for a, v in found if a >= high)]
        print(f"| `{name}` | {np.mean(within):+.2f} | {_spearman(found):+.2f} | {ends[0]:.3g} | {ends[1]:.3g} |")


def _spearman(pairs: list[tuple[float, float | None]]) -> float:
    known = [(a, b) for a, b in pairs if b is not None]
    first, second = zip(*known, strict=True)
    return 0.0 if len(set(second)) < 2 else float(spearmanr(first, second).statistic)


def simulated(data: Path) -> None:
    """Noise and motion put into four heads."""
    noisy: Rows = {}
    moving: Rows = {}
    for number in HEADS:
        head = still_head(data, number)
        rng = np.random.default_rng(1000 + number)
        for sigma in NOISE:
            volume = as_volume(add_rician_noise(rng, head.image, sigma), head.affine)
            noisy.setdefault(number, []).append((sigma, compute_metrics(volume, true_anatomy(volume, head.labels))))
        brain = np.isin(group_freesurfer(head.labels), BRAIN)
        for severity in SEVERITY:
            moved = apply_motion(head.image, draw_motion(rng, severity), (1.0, 1.0, 1.0), brain)
            volume = as_volume(add_rician_noise(rng, moved.image, STILL_NOISE), head.affine)
            metrics = compute_metrics(volume, true_anatomy(volume, head.labels))
            moving.setdefault(number, []).append((moved.displacement_mm, metrics))
    table("Noise, sigma over the brightest tissue", noisy)
    table("Motion, displacement in mm", moving)


def cost(data: Path) -> None:
    """Processor seconds for one 256 x 256 x 176 scan."""
    head = still_head(data, HEADS[0])
    image = np.pad(head.image, ((0, 0), (16, 16), (32, 32)))[8:184]
    native = np.pad(head.labels, ((0, 0), (16, 16), (32, 32)))[8:184]
    volume = as_volume(add_rician_noise(np.random.default_rng(0), image, STILL_NOISE), head.affine)
    anatomy = true_anatomy(volume, native)
    times = []
    for _ in range(7):
        start = time.process_time()
        compute_metrics(volume, anatomy)
        times.append(time.process_time() - start)
    print(f"cost at {volume.shape}: {median(times):.3f} s processor time (n = 7)")


def real(data: Path) -> None:
    """Real scans beside the range of 1,101 scans of ABIDE in MRIQC."""
    from brainsift.anatomy.compute import compute_anatomy
    from brainsift.scans.read import read, read_file
    from brainsift.scans.ref import ScanRef

    slices = tuple(sorted((data / "dicom" / "series_a").glob("*.dcm")))
    volumes = {name: read_file(data / "scans" / f"{name}.nii.gz") for name in REAL}
    volumes["dicom"] = read(ScanRef(scan="a", stem="a", format="dicom", paths=slices, size=0, mtime_ns=0))
    found = {name: compute_metrics(v, compute_anatomy(v, threads=1)) for name, v in volumes.items()}
    with (data / "ratings" / "abide.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    print(f"\n| metric | ABIDE 1-50-99 % | {' | '.join(found)} |\n|---|---|{'---|' * len(found)}")
    for name in RANGE_SHOWN:
        values = [float(row[name]) for row in rows if row[name] not in ("", "n/a")]
        span = " ".join(f"{q:.3g}" for q in np.percentile(values, [1, 50, 99]))
        cells = ("–" if m[name] is None else f"{m[name]:.3g}" for m in found.values())  # noqa: RUF001
        print(f"| {name} | {span} | {' | '.join(cells)} |")


def main() -> None:
    """Print the tables of docs/quality_metrics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--real", action="store_true")
    arguments = parser.parse_args()
    if arguments.real:
        real(arguments.data)
    else:
        cost(arguments.data)
        simulated(arguments.data)


if __name__ == "__main__":
    main()
