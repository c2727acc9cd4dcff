"""The papers' network beside ours: 3D Conv5 with global pooling on the same heads, faults and grades.

    python benchmarks/bench_quality_baseline.py build --minutes 20 [--share 0 2]   # volumes, 1 mm; goes on
    python benchmarks/bench_quality_baseline.py train --minutes 60                 # goes on from its checkpoint
    python benchmarks/bench_quality_baseline.py compare runs/quality/quality.onnx
    python benchmarks/bench_quality_baseline.py speed runs/quality/quality.onnx --repeats 3

Conv5 (Bottani 2022): five times 3x3x3 convolution, batch norm, ReLU, halving by maxima; 8 to 128 channels; here with
global pooling instead of 42 million weights, answers as ours. It sees what the papers show it: 169x208x179 voxels of
1 mm, from 0 to 1 between the scan's extremes. The volumes are laid about the true centre of the brain, in place of the
papers' affine registration: that is kinder to it than a registration which may fail. Ours sees the same scans through
the anatomy pass. Learnt from are heads 01 to 16, measured is on heads 17 to 20; grades and intervals as in
`bench_quality_musts.py`. Improper scans are not compared. All scans are simulated; no figure is clinical.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from bench_quality_musts import DATA, GROUPS, Part, Row, ask, graded_rows, markdown
from quality_cases import HEADS, SEED, Example, faulty_scans, seen, volume_of

from brainsift.evaluate.confusion import confusion
from brainsift.evaluate.measured import accuracy_interval
from brainsift.learn.quality.bank import LEVELS, Bank, load_bank, write_chunk
from brainsift.learn.quality.corrupt import add_noise_and_grade
from brainsift.learn.quality.truth import COLUMNS
from brainsift.scans.conform import axis_weights, separable
from brainsift.tasks.quality.network import GRADED, N_OUTPUTS, SEQUENCES, Answer, decode

FOLDER = Path(__file__).parents[1] / "runs" / "quality_baseline"
SHAPE = (169, 208, 179)
"""Voxels of 1 mm after Clinica's t1-linear (Bottani 2022)."""

CHANNELS = (8, 16, 32, 64, 128)
BRAIN_AT = (0.5, 0.5, 0.55)
"""Where the centre of the brain comes to lie, shares of the box; a little of the neck is cut, as in MNI152."""

LEARN_FROM, MEASURED_ON = tuple(range(1, 17)), HEADS
PAINTINGS = {"learn": 10, "measure": 12}
"""Scans of each head, five faults each: 800 volumes to learn from, 240 to measure with."""

MAX_SHIFT = 6
BATCH = 2
RATE = 1e-3


def build(data: Path, folder: Path, seconds: float, place: int, among: int) -> int:
    """Make missing volumes, one file for each painting; returns how many are still missing."""
    jobs = [
        (side, head, n)
        for n in range(max(PAINTINGS.values()))
        for side, heads in (("measure", MEASURED_ON), ("learn", LEARN_FROM))
        for head in heads
        if n < PAINTINGS[side]
    ][place::among]
    todo = [job for job in jobs if not (folder / job[0] / f"head_{job[1]:02d}_{job[2]:03d}.json").exists()]
    start = time.monotonic()
    for done, (side, head, number) in enumerate(todo):
        if time.monotonic() - start > seconds:
            return len(todo) - done
        make(data, folder / side, head, number, slices=side == "measure")
        print(f"{side} head {head} {number}, {len(todo) - done - 1} left", file=sys.stderr, flush=True)
    return 0


def make(data: Path, folder: Path, head: int, number: int, slices: bool) -> None:
    """Five faults of one painting: volumes, and with `slices` what ours sees of them."""
    rng = np.random.default_rng([SEED, 3, head, number])
    volumes, examples, name = [], [], f"head_{head:02d}_{number:03d}"
    for row, (asked, faulty, noise) in enumerate(faulty_scans(rng, data, head)):
        made, scan = add_noise_and_grade(faulty, noise), faulty.scan
        facts = made.facts | {"asked": asked, "case": f"{name}:{row}"}
        volumes.append(laid(made.image, scan.spacing_mm, scan.brain))
        if slices:
            examples.append(seen(volume_of(made.image, scan.spacing_mm), made.truth, scan.person, facts))
        else:
            examples.append(Example(np.zeros((1, 1, 1), np.uint8), made.truth, scan.person, facts))
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.volumes.part.npy"
    np.save(part, np.stack(volumes))
    part.replace(folder / f"{name}.volumes")
    write_chunk(examples, folder, name)


def laid(image: np.ndarray, spacing_mm: tuple[float, ...], brain: np.ndarray) -> np.ndarray:
    """An image on the papers' grid, the brain in its middle; uint8 `SHAPE`."""
    centre = np.array([np.average(np.arange(n), weights=brain.sum(axis=_others(a))) for a, n in enumerate(brain.shape)])
    weights = [
        axis_weights(n, mm, count, 1.0, (middle + 0.5) * mm - share * count)
        for n, mm, count, middle, share in zip(image.shape, spacing_mm, SHAPE, centre, BRAIN_AT, strict=True)
    ]
    there = separable(image, weights)
    low, high = float(there.min()), float(there.max())
    levels: np.ndarray = np.rint((there - low) * (LEVELS / max(high - low, 1e-6))).astype(np.uint8)
    return levels


def _others(axis: int) -> tuple[int, ...]:
    return tuple(a for a in range(3) if a != axis)


class Volumes:
    """Volumes of a bank, read when asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bank: Bank = load_bank(folder)

    def __getitem__(self, index: int) -> np.ndarray:
        name, row = self.bank.facts[index]["case"].split(":")
        volumes: np.ndarray = np.load(self.folder / f"{name}.volumes", mmap_mode="r")[int(row)]
        return volumes


def conv5():  # type: ignore[no-untyped-def]
    """The papers' convolutions, global pooling, one layer; (N, 1, X, Y, Z) → (N, outputs)."""
    from torch import nn

    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((1, *CHANNELS)):
        layers += [nn.Conv3d(inputs, outputs, 3, padding=1), nn.BatchNorm3d(outputs), nn.ReLU(), nn.MaxPool3d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(CHANNELS[-1], N_OUTPUTS))


def loss(logits, truth):  # type: ignore[no-untyped-def]
    """Ours, without slices: cross-entropy of the cumulative grades and of the sequence."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    from brainsift.learn.quality.truth import N_BINARY, binary_targets

    targets = binary_targets(truth)
    known = torch.isfinite(targets)
    each = F.binary_cross_entropy_with_logits(logits[:, :N_BINARY], torch.nan_to_num(targets), reduction="none")
    total = N_BINARY * (each * known).sum() / known.sum().clamp(min=1)
    return total + F.cross_entropy(logits[:, N_BINARY:], truth[:, -1].long())


def batches(volumes: Volumes, seed: int, start: int) -> Iterator[tuple[object, object]]:
    """Endless (images (N, 1, X, Y, Z), truth (N, 6)), rare answers more often, mirrored and shifted."""
    import torch

    from brainsift.learn.quality.truth import balancing_weights

    rng = np.random.default_rng([seed, start])
    weights = balancing_weights(volumes.bank.truth)
    while True:
        chosen = rng.choice(len(volumes.bank), BATCH, p=weights / weights.sum())
        images = []
        for index in chosen:
            image = np.roll(volumes[int(index)], rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, 3), axis=(0, 1, 2))
            images.append(image[::-1] if rng.random() < 0.5 else image)
        stacked = np.stack(images).astype(np.float32)[:, None] / LEVELS
        yield torch.from_numpy(stacked), torch.from_numpy(volumes.bank.truth[chosen])


def train(folder: Path, minutes: float, threads: int) -> None:
    """Train for as many minutes in all."""
    import torch

    from brainsift.learn.trainer import Trainer, TrainingPlan

    torch.set_num_threads(threads)
    volumes = Volumes(folder / "learn")
    plan = TrainingPlan(minutes=minutes, threads=threads, learning_rate=RATE, validate_every=50)
    trainer = Trainer(conv5, loss, lambda model: {}, plan, folder / "run")
    trainer.load()
    trainer.run(batches(volumes, plan.seed, trainer.step), quiet=True)
    trainer.save()
    print(f"{trainer.step} steps of {BATCH}, {trainer.seconds / 60:.1f} minutes, {len(volumes.bank)} volumes")


def baseline_part(folder: Path) -> tuple[Part, dict[str, float]]:
    """Answers of the trained baseline on the volumes to measure with, and what it was trained."""
    import torch

    state = torch.load(folder / "run" / "checkpoint.pt", map_location="cpu", weights_only=True)
    model = conv5()
    model.load_state_dict(state["average"])
    model.eval()
    volumes = Volumes(folder / "measure")
    answers: list[Answer] = []
    with torch.no_grad():
        for index in range(len(volumes.bank)):
            image = torch.from_numpy(volumes[index].astype(np.float32)[None, None] / LEVELS)
            answers.append(decode(model(image).numpy()[[0, 0]]))
    return _part(volumes.bank, answers), {"steps": state["step"], "minutes": state["seconds"] / 60}


def _part(bank: Bank, answers: list[Answer]) -> Part:
    return Part(bank.truth, list(bank.people), list(bank.facts), answers)


def compare(folder: Path, model: Path) -> str:
    """Both on the same scans, as markdown."""
    bank = load_bank(folder / "measure")
    theirs, trained = baseline_part(folder)
    ours = _part(bank, ask(model, bank, folder / f"answers_{model.stem}_{model.stat().st_mtime_ns}.npz"))
    rows = [row for name, part in (("Conv5, global pooling", theirs), ("ours", ours)) for row in rows_of(name, part)]
    learnt = load_bank(folder / "learn")
    lines = [
        f"Conv5: {trained['steps']:,} steps of {BATCH} volumes in {trained['minutes']:.0f} minutes, {len(learnt)} "
        f"volumes of {len(set(learnt.people))} heads. Ours: {model.name}, see its card. Measured on {len(bank)} scans "
        "of heads 17 to 20.",
        "",
        *markdown(sorted(rows, key=lambda row: (row.what, row.statistic, row.scans))),
    ]
    text = "\n".join(lines) + "\n"
    (folder / "compared.md").write_text(text, encoding="utf-8")
    values = [{"what": r.what, "scans": r.scans, "statistic": r.statistic, "value": r.value.value} for r in rows]
    (folder / "compared.json").write_text(json.dumps({"trained": trained, "rows": values}, indent=1) + "\n")
    return text


def rows_of(name: str, part: Part) -> list[Row]:
    """Motion by simulator, noise, contrast, sequence."""
    rows: list[Row] = []
    for group, asked in GROUPS.items():
        rows += graded_rows("motion", f"{group}: {name}", part.where(asked=("still", *asked)), "motion", {})
    for graded in GRADED[1:]:
        rows += graded_rows(graded, name, part, graded, {})
    true = [SEQUENCES[int(s)] for s in part.table[:, COLUMNS.index("sequence")]]
    table = confusion(true, [a.likeliest_sequence() for a in part.answers], SEQUENCES, part.people)
    return [*rows, Row("sequence", name, "accuracy", accuracy_interval(table))]


def speed(data: Path, model: Path, repeats: int) -> str:
    """Processor seconds on one thread of both ways, on one real scan, in turns: ratios hold, seconds are of the day."""
    import SimpleITK
    import torch

    from brainsift.anatomy.compute import compute_anatomy
    from brainsift.models.session import load_onnx
    from brainsift.scans.read import read_file
    from brainsift.tasks.quality.metrics import compute_metrics
    from brainsift.tasks.quality.network import MODEL, QualityNetwork
    from brainsift.tasks.quality.slices import slices_of

    torch.set_num_threads(1)
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    volume = read_file(data / "scans" / "flair_head_a.nii.gz")
    image = SimpleITK.GetImageFromArray(volume.data.transpose(2, 1, 0))
    image.SetSpacing([float(s) for s in volume.spacing])
    turned = SimpleITK.Resample(image, SimpleITK.Euler3DTransform((0, 0, 0), 0.05, 0.05, 0.05, (3, 3, 3)))
    network, net = QualityNetwork(load_onnx(model, MODEL, 1), MODEL, ""), conv5().eval()
    grid = torch.rand(1, 1, *SHAPE)
    anatomy = compute_anatomy(volume, threads=1)
    with torch.no_grad():
        steps = {
            "theirs: N4, at a quarter of the resolution": lambda: n4(image),
            "theirs: affine registration (SimpleITK, in place of ANTs)": lambda: register(turned, image),
            "theirs: Conv5 with global pooling": lambda: net(grid),
            "ours: anatomy pass, which all tasks share": lambda: compute_anatomy(volume, threads=1),
            "ours: slices and network": lambda: network.ask(slices_of(volume, anatomy)),
            "ours: image metrics": lambda: compute_metrics(volume, anatomy),
        }
        taken: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(repeats):
            for name, step in steps.items():
                start = time.process_time()
                step()
                taken[name].append(time.process_time() - start)
    shape = "x".join(map(str, volume.shape))
    lines = [f"| step | processor seconds, one thread, {shape}: median of {repeats} (range) |", "|---|---|"]
    lines += [f"| {n} | {np.median(t):.2f} ({min(t):.2f}-{max(t):.2f}) |" for n, t in taken.items()]
    medians = {n: float(np.median(t)) for n, t in taken.items()}
    theirs = sum(v for n, v in medians.items() if n.startswith("theirs"))
    after = sum(v for n, v in medians.items() if n.startswith("ours") and "anatomy" not in n)
    lines.append(f"| theirs in all | {theirs:.2f} |")
    lines.append(f"| ours after the anatomy pass | {after:.2f}: {theirs / after:.0f} times less |")
    whole = after + medians["ours: anatomy pass, which all tasks share"]
    lines.append(f"| ours with the anatomy pass | {whole:.2f}: {theirs / whole:.1f} times less |")
    return "\n".join(lines) + "\n"


def n4(image):  # type: ignore[no-untyped-def]
    """Bias correction as the papers do, at a quarter of the resolution."""
    import SimpleITK

    small = SimpleITK.Shrink(image, [4, 4, 4])
    method = SimpleITK.N4BiasFieldCorrectionImageFilter()
    method.Execute(small, SimpleITK.OtsuThreshold(small, 0, 1))
    return image / SimpleITK.Exp(method.GetLogBiasFieldAsImage(image))


def register(moving, fixed):  # type: ignore[no-untyped-def]
    """An affine registration of usual settings."""
    import SimpleITK

    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.05, 1)
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetOptimizerAsGradientDescent(1.0, 100)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInitialTransform(SimpleITK.AffineTransform(3))
    return method.Execute(fixed, moving)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("build", "train", "compare", "speed"))
    parser.add_argument("model", type=Path, nargs="?", help="our quality.onnx, for compare and speed")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="make each N-th alone")
    options = parser.parse_args()
    if options.what in ("compare", "speed") and options.model is None:
        parser.error(f"{options.what} needs our quality.onnx")
    if options.what == "build":
        left = build(options.data, options.folder, 60 * options.minutes, *options.share)
        print(f"{left} paintings are still to be made")
    elif options.what == "train":
        train(options.folder, options.minutes, options.threads)
    elif options.what == "compare":
        print(compare(options.folder, options.model))
    else:
        print(speed(options.data, options.model, options.repeats))


if __name__ == "__main__":
    main()
