"""How the measured contrast of grey and white matter is weighed against what the network sees: fitted and measured.

    python benchmarks/bench_contrast.py collect rows.jsonl --label-maps DIR --heads 1 2 … 16 [--each 2] [--seed 500]
    python benchmarks/bench_contrast.py collect test.jsonl --label-maps DIR --heads 17 18 19 20 --each 3 --seed 900
    python benchmarks/bench_contrast.py fit rows.jsonl test.jsonl

`collect` paints heads as T1w and FLAIR, clean, paled, with cortex painted nearer to white matter (paling leaves what a
coil's field makes of it, so that it alone is hardly ever severe on FLAIR) and with FLAIR's own faults, adds noise, and
runs what `brainsift run` runs: anatomy pass, metrics, network. `fit` finds the weights of `tasks/quality/contrast.py`
on the first file (greatest likelihood with weak priors; scans weigh alike, so that what is rare is seldom called) and
tells what network alone and both together reach on the second. What lies in a file is not collected again. Everything
is simulated.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from kept_rows import Row, ask_missing, read_rows
from numpy.typing import NDArray
from scipy.optimize import minimize

from brainsift.anatomy.compute import compute_anatomy
from brainsift.evaluate.ranking import auc
from brainsift.learn import as_read
from brainsift.learn.quality.clean import CleanScan, Painting, draw_painting, paint, place_head
from brainsift.learn.quality.corrupt import apply_fault, draw_fault
from brainsift.scans.errors import ScanError
from brainsift.scans.volume import Volume
from brainsift.simulate.artefacts.grades import contrast_grade
from brainsift.simulate.artefacts.intensity import apply_noise, draw_noise
from brainsift.simulate.contrast import twin
from brainsift.simulate.labelmap import load_label_map
from brainsift.tasks.quality.contrast import FLUID_LIMITS, LEAST, WEIGHTS, measured_contrast, measured_fluid
from brainsift.tasks.quality.flair import FLAIR
from brainsift.tasks.quality.metrics import compute_metrics
from brainsift.tasks.quality.network import CERTAIN, open_quality_network
from brainsift.tasks.quality.slices import slices_of

Float64 = NDArray[np.float64]

T1W = ("mprage", "spgr")
FAULTS = {FLAIR: ("none", "contrast", "own"), "T1w": ("none", "contrast", "contrast")}
LOWERED = {FLAIR: ((0.5, 0.8), (0.25, 0.5), (0.0, 0.25)), "T1w": ()}
"""Shares of the difference of cortex and white matter that are left, of each painting."""

OWN = ("unsuppressed", "csf_flow", "slab", "bias")
GRADES = (0.5, 1.5)
WHITE, CORTEX = 2, 3
"""Of FreeSurfer."""

PRIORS = ((0.8, 1.0), (2.0, 1.0), (0.8, 0.5), (5.0, 1.0), (1.0, 0.3))
"""Middle, and standard deviation of the logarithm, of `network`, `contrast`, `scale`, `fluid`, `fluid_scale`."""


def collect(path: Path, label_maps: Path, heads: Sequence[int], each: int, seed: int) -> None:
    """Add a row for each scan to a file."""

    def rows(key: tuple[int, int, int]) -> Iterator[Row]:
        _, head, draw = key
        return rows_of(label_maps / f"head_{head:02d}_labels.nii.gz", head, draw, seed)

    keys = [(seed, head, draw) for draw in range(each) for head in heads]
    ask_missing(path, keys, lambda row: (row["seed"], row["head"], row["draw"]), rows)


def rows_of(path: Path, head: int, draw: int, seed: int) -> Iterator[Row]:
    """Rows of one deformed head."""
    rng = np.random.default_rng([seed, head, draw])
    placed = place_head(rng, load_label_map(path), "p", None)
    for kind in ("flair", str(rng.choice(T1W))):
        painting = draw_painting(rng, placed.values, kind)
        scan = paint(placed, painting)
        asked = [(scan, str(rng.choice(OWN)) if named == "own" else named) for named in FAULTS[scan.sequence]]
        for low, high in LOWERED[scan.sequence]:
            asked.append((paint(placed, lowered(painting, float(rng.uniform(low, high)))), "none"))
        for one, named in asked:
            row = ask(rng, one, named)
            if row is not None:
                yield {"seed": seed, "head": head, "draw": draw, "sequence": scan.sequence} | row


def lowered(painting: Painting, share: float) -> Painting:
    """The same with cortex painted as near to white matter as `share` of their difference."""
    values = np.array(painting.contrast.values)
    means = np.array(painting.contrast.means)
    like = np.array([twin(int(value)) for value in values])
    white = float(means[like == WHITE].mean())
    means = np.where(like == CORTEX, white + share * (means - white), means)
    return replace(painting, contrast=replace(painting.contrast, means=tuple(means.tolist())))


def ask(rng: np.random.Generator, scan: CleanScan, fault: str) -> Row | None:
    """True grade, log-odds of the network and what is measured of one scan; None where the anatomy pass refuses it."""
    done = apply_fault(scan, draw_fault(rng, fault))
    noise = draw_noise(rng, float(rng.uniform(0, 2)))
    image = apply_noise(done.scan.image, noise, scan.spacing_mm, scan.brain).image
    volume = as_volume(np.asarray(image / np.percentile(image, 99.5) * 1000, np.float32), scan.spacing_mm)
    try:
        anatomy = compute_anatomy(volume, threads=1)
    except ScanError:
        return None
    filed = FLAIR if scan.sequence == FLAIR else None
    answer = open_quality_network(1).ask(slices_of(volume, anatomy), filed)
    metrics = compute_metrics(volume, anatomy)
    contrast = measured_contrast(metrics, anatomy)
    if contrast is None:
        return None
    seen = np.clip([answer.moderate["contrast"], answer.severe["contrast"]], CERTAIN, 1 - CERTAIN)
    return {
        "fault": fault,
        "grade": contrast_grade(done.contrast, scan.sequence, done.fluid),
        "network": np.log(seen / (1 - seen)).tolist(),
        "contrast": contrast,
        "fluid": measured_fluid(metrics, anatomy),
    }


def as_volume(image: NDArray[np.float32], spacing_mm: tuple[float, float, float]) -> Volume:
    """As the reader would give it, centred."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -np.array(image.shape) / 2 * np.array(spacing_mm)
    return as_read.as_volume(np.ascontiguousarray(image), affine, magnitude=False)


def odds(logs: Float64, rows: Sequence[Row], sequence: str, grade: int) -> Float64:
    """Log-odds of a grade by both, (N,), with weights given as logarithms."""
    network, contrast, scale, fluid, fluid_scale = np.exp(logs)
    seen = np.array([row["network"][grade] for row in rows])
    found = np.maximum(np.array([row["contrast"] for row in rows]), LEAST)
    measured = contrast * np.log(scale * WEIGHTS[sequence].limits[grade] / found)
    if sequence == FLAIR:
        level = np.array([np.nan if row["fluid"] is None else row["fluid"] for row in rows], float)
        measured = np.fmax(measured, fluid * (level - fluid_scale * FLUID_LIMITS[grade]))
    total: Float64 = network * seen + measured
    return total


def fit(rows: Sequence[Row], sequence: str) -> Float64:
    """Logarithms of the five weights."""
    truth = np.array([row["grade"] for row in rows])
    middles, spreads = np.array(PRIORS).T

    def loss(logs: Float64) -> float:
        total = 0.0
        for grade, cut in enumerate(GRADES):
            yes = (truth >= cut).astype(float)
            z = odds(logs, rows, sequence, grade)
            total += float(np.sum(np.logaddexp(0, z) - yes * z))
        return total + 0.5 * float((((logs - np.log(middles)) / spreads) ** 2).sum())

    found: Float64 = minimize(loss, np.log(middles), method="Nelder-Mead", options={"maxiter": 8000}).x
    return found


def tell(training: Sequence[Row], test: Sequence[Row]) -> None:
    """Print the weights, and what network alone and both reach."""
    for sequence in WEIGHTS:
        learnt, asked = ([row for row in rows if row["sequence"] == sequence] for rows in (training, test))
        logs = fit(learnt, sequence)
        names = ("network", "contrast", "scale", "fluid", "fluid_scale")
        print(
            sequence,
            f"n = {len(learnt)}",
            {name: round(float(np.exp(v)), 3) for name, v in zip(names, logs, strict=True)},
        )
        truth = np.array([row["grade"] for row in asked])
        for grade, cut in enumerate(GRADES):
            yes = truth >= cut
            alone = np.array([row["network"][grade] for row in asked])
            both = odds(logs, asked, sequence, grade)
            told = [
                f"AUC {auc(yes, z):.3f} BA {((z[yes] > 0).mean() + (z[~yes] <= 0).mean()) / 2:.3f}"
                for z in (alone, both)
            ]
            print(f"    from {cut}: {yes.sum()} of {len(yes)}; network {told[0]}; both {told[1]}")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    first = verbs.add_parser("collect")
    first.add_argument("rows", type=Path)
    first.add_argument("--label-maps", type=Path, required=True)
    first.add_argument("--heads", type=int, nargs="+", required=True)
    first.add_argument("--each", type=int, default=1)
    first.add_argument("--seed", type=int, default=500)
    second = verbs.add_parser("fit")
    second.add_argument("rows", type=Path)
    second.add_argument("test", type=Path)
    options = parser.parse_args()
    if options.verb == "collect":
        collect(options.rows, options.label_maps, options.heads, options.each, options.seed)
    else:
        tell(read_rows(options.rows), read_rows(options.test))


if __name__ == "__main__":
    main()
