"""Microbleeds stage by stage on fresh simulated heads, and what each part of the method brings.

    python benchmarks/bench_microbleeds.py stages RUN --label-maps DIR [--heads …] [--each 10] [--first 0] [--slices …]
    python benchmarks/bench_microbleeds.py ablate RUN --label-maps DIR [--minutes 10] [--only all no_frst without_qsm]
    python benchmarks/bench_microbleeds.py students RUN [--minutes 2] [--seeds 3]

`RUN` is the folder of `brainsift train microbleeds`, with both ONNX files (stages) and the banks (ablate). `stages`
draws heads with seeds of its own, scans each with 0.7 mm in plane and every slice thickness as GRE, SWI and
susceptibility map, and runs the task's own code: bleeds found and false marks after the detector, after the
discriminator, and after the clean-up with anatomy, of which the last is what users get. What was asked lies in
`RUN/stages_*.jsonl` and is not asked again. `ablate` trains the networks from nothing as they are, without radial
symmetry and without a modality, shorter and on fewer heads than what ships (all variants alike, so that they compare
with each other), and measures them, before the clean-up, on heads with many bleeds that it draws. `students` trains
students over seeds with and without the teacher of the run. Intervals resample drawn heads (bleeds, vessels, scanner
and deformation are drawn anew each time, from few label maps). Everything printed is simulated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kept_rows import Row, ask_missing

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.compute import compute_anatomy
from brainsift.evaluate.detection.froc import threshold_at
from brainsift.evaluate.detection.marks import Marks, marks_of_points
from brainsift.evaluate.detection.match import Match, match_marks
from brainsift.evaluate.intervals import bootstrap_rows
from brainsift.learn.building import build_folders
from brainsift.learn.microbleeds.bank import Bank, chunk_names, load_bank
from brainsift.learn.microbleeds.banks import hold_out
from brainsift.learn.microbleeds.batches import Lessons
from brainsift.learn.microbleeds.build import MODALITIES, as_volume, lesions_of, make_chunk, plan_chunks
from brainsift.learn.microbleeds.cubes import load_cubes
from brainsift.learn.microbleeds.finish import DETECTOR, TEACHER, compare_students, cubes_folder
from brainsift.learn.microbleeds.job import Course, train_and_export, train_students
from brainsift.learn.microbleeds.job import Networks as Makes
from brainsift.learn.microbleeds.net import StudentNet, TeacherNet
from brainsift.learn.microbleeds.predict import find, judge, match, onnx_asker, onnx_cube_asker
from brainsift.learn.sides import FRESH_BANK, TRAINING_BANK, VALIDATION_BANK, Banks, load_sides
from brainsift.learn.trainer import TrainingPlan, load_net, weights_in
from brainsift.models.checksums import sha256_of
from brainsift.models.session import load_onnx
from brainsift.scans.errors import ScanError
from brainsift.scans.volume import Volume
from brainsift.simulate.labelmap import load_label_map
from brainsift.simulate.susceptibility.example import Modality, draw_bleed_example
from brainsift.tasks.microbleeds.find import find_bleeds
from brainsift.tasks.microbleeds.model import BleedNetworks, networks_of
from brainsift.tasks.microbleeds.network import CANDIDATES, DISCRIMINATOR, prepare

HEADS = ("head_17", "head_18", "head_19", "head_20")
IN_PLANE_MM = 0.7
FIRST_SEED = 7_000_000
"""Far from those of the banks."""

ABLATION_LESSONS = Lessons(size=6)
ABLATION_EVERY = 2
"""Of the heads to learn from, every second one: what is read once stays in memory."""

MANY_BANK, MANY_HEADS, MANY_SEED = "bank_many", 16, 6_000_000
"""What variants are measured on: as many bleeds in a head as in those to learn from, or most would have none."""

RATES = (1.0, 2.0)
"""False ones per scan at which variants are compared: each has thresholds of its own."""

EMPTY_EVERY = 3
"""Draws of which one has no bleed, where their number is given."""

SIZE_MM = 3.0
STAGES = ("candidates", "after discrimination", "after clean-up", "with possible ones")


@dataclass(frozen=True)
class Case:
    """One scan: which head and draw, as what, and what each stage left; `refused` says why there is no answer."""

    head: str
    draw: int
    modality: str
    slice_mm: float
    stages: dict[str, Match]
    refused: str = ""

    @property
    def drawn_head(self) -> str:
        """Scans of one drawn head are not independent of each other."""
        return f"{self.head}/{self.draw}"


def open_networks(run: Path) -> BleedNetworks:
    """Both exported networks of a training, as the task opens them."""
    paths = [run / f"{name}.onnx" for name in (CANDIDATES, DISCRIMINATOR)]
    sessions = [load_onnx(path, path.stem) for path in paths]
    return networks_of(*sessions, *(sha256_of(path) for path in paths))


def stages_of(networks: BleedNetworks, volume: Volume, anatomy: Anatomy, modality: Modality) -> dict[str, Marks]:
    """Marks after the detector, after the discriminator, and after the clean-up: definite ones, and with possible ones,
    which rank below all definite ones.

    Raises
    ------
    ScanError
        if the task refuses the scan.
    """
    found = find_bleeds(volume, anatomy, prepare(volume, anatomy, modality), networks)
    looked = found.looked
    mm = np.array([(one.x_mm, one.y_mm, one.z_mm) for one in looked], float).reshape(-1, 3)
    score, probability = (np.array([getattr(one, name) for one in looked], float) for name in ("score", "probability"))
    verdict = np.array([one.verdict for one in looked], object)
    kept = {
        STAGES[1]: probability >= found.threshold,
        STAGES[2]: verdict == "definite",
        STAGES[3]: (verdict == "definite") | (verdict == "possible"),
    }
    rank = dict.fromkeys(kept, probability) | {STAGES[3]: probability + (verdict == "definite")}
    marks = {name: marks_of_points(mm[rows], score=rank[name][rows]) for name, rows in kept.items()}
    return {STAGES[0]: marks_of_points(mm, score=score)} | marks


def ask(networks: BleedNetworks, path: Path, draw: int, slice_mm: float, count: int | None = None) -> Iterator[Case]:
    """Draw a head, scan it with slices of that thickness, and ask about each modality."""
    name = path.name.split("_labels")[0]
    rng = np.random.default_rng([FIRST_SEED, number_of(name), draw])
    voxel_mm = (IN_PLANE_MM, IN_PLANE_MM, slice_mm)
    drawn = draw_bleed_example(rng, load_label_map(path), count=count, voxel_mm=voxel_mm, slice_axis=2)
    lesions = lesions_of(drawn)
    reference = marks_of_points([one.mm for one in lesions], [one.seen_diameter_mm for one in lesions])
    for modality in MODALITIES:
        volume = as_volume(drawn.images[modality], drawn.affine, modality)
        try:
            marks, refused = stages_of(networks, volume, compute_anatomy(volume), modality), ""
        except ScanError as error:
            marks, refused = {stage: marks_of_points([]) for stage in STAGES}, error.cause
        stages = {stage: match_marks(reference, one) for stage, one in marks.items()}
        yield Case(name, draw, modality, slice_mm, stages, refused)


def stages(options: argparse.Namespace) -> None:
    """Ask what has not been asked yet, and print the table."""
    networks = open_networks(options.run)
    # Another network, other answers.
    as_many = "" if options.bleeds is None else f"_{options.bleeds}bleeds"
    kept = options.run / f"stages_{networks.detector_sha256[:6]}{networks.model_sha256[:6]}{as_many}.jsonl"
    draws = range(options.first, options.first + options.each)
    keys = [(head, draw, slice_mm) for draw in draws for head in options.heads for slice_mm in options.slices]

    def rows(key: tuple[str, int, float]) -> list[Row]:
        head, draw, slice_mm = key
        count = None if options.bleeds is None else options.bleeds * bool(draw % EMPTY_EVERY)
        return [_row(case) for case in ask(networks, map_of(options.label_maps, head), draw, slice_mm, count)]

    told = ask_missing(kept, keys, lambda row: (row["head"], row["draw"], row["slice_mm"]), rows)
    table([_case(row) for row in told])


def map_of(label_maps: Path, head: str) -> Path:
    """The label map of a head."""
    return next(label_maps.glob(f"{head}[._]*"))


def number_of(name: str) -> int:
    """Of a head, for its seeds; 0 where its name has none."""
    return int("".join(filter(str.isdigit, name)) or 0)


def table(cases: Sequence[Case]) -> None:
    """Print, by modality and slice thickness, what each stage leaves."""
    print("Simulated heads. Bleeds of 3 mm and more as a rater would measure them; FP per scan; 95 % intervals.")
    for modality in MODALITIES:
        for slice_mm in sorted({case.slice_mm for case in cases}):
            chosen = [case for case in cases if case.modality == modality and case.slice_mm == slice_mm]
            told = sum(bool(case.refused) for case in chosen)
            print(f"{modality} {slice_mm:g} mm: {len(chosen)} scans, {told} refused")
            for stage in STAGES:
                if chosen and stage in chosen[0].stages:
                    heads = [case.drawn_head for case in chosen]
                    print(f"    {stage:22s} {figures([case.stages[stage] for case in chosen], heads)}", flush=True)


def figures(matches: Sequence[Match], heads: Sequence[str]) -> str:
    """TPR of large bleeds, as it is and where one mark per scan may be false, and of all; false marks per scan, and in
    heads without a bleed."""
    large = np.array([_counts(one, SIZE_MM) for one in matches], float)
    every = np.array([_counts(one, 0.0) for one in matches], float)
    empty = np.flatnonzero(every[:, 0] == 0)

    def tpr(counts: Any, rows: Any) -> float:
        return float(counts[rows, 1].sum() / counts[rows, 0].sum()) if counts[rows, 0].sum() else float("nan")

    told = {
        f"TPR {SIZE_MM:g}+": bootstrap_rows(lambda rows: tpr(large, rows), len(matches), heads),
        f"TPR {SIZE_MM:g}+ at {RATES[0]:g} FP": bootstrap_rows(
            partial(found_at, matches, RATES[0], SIZE_MM), len(matches), heads
        ),
        "TPR all": bootstrap_rows(lambda rows: tpr(every, rows), len(matches), heads),
        "FP": bootstrap_rows(lambda rows: float(every[rows, 2].mean()), len(matches), heads),
        "FP, no bleed": bootstrap_rows(
            lambda rows: float(every[empty][rows, 2].mean()), len(empty), [heads[i] for i in empty]
        ),
    }
    counts = f"{int(large[:, 0].sum())} of {int(every[:, 0].sum())} bleeds"
    return "  ".join(f"{name} {interval}" for name, interval in told.items()) + f"  ({counts})"


def _of_size(one: Match, at_least_mm: float) -> Any:
    return (one.diameter_mm >= at_least_mm) | (at_least_mm <= 0)


def _counts(one: Match, at_least_mm: float) -> tuple[int, int, int]:
    asked = _of_size(one, at_least_mm)
    return int(asked.sum()), int((asked & np.isfinite(one.found)).sum()), len(one.false)


def _row(case: Case) -> dict[str, Any]:
    """As JSON can hold it; a bleed that nothing hit has the score None."""
    stages = {
        name: {
            "found": [score if np.isfinite(score) else None for score in one.found.tolist()],
            "false": one.false.tolist(),
            "diameter_mm": one.diameter_mm.tolist(),
        }
        for name, one in case.stages.items()
    }
    plain = {name: getattr(case, name) for name in ("head", "draw", "modality", "slice_mm", "refused")}
    return plain | {"stages": stages}


def _case(row: dict[str, Any]) -> Case:
    def match_of(told: dict[str, Any]) -> Match:
        found = np.array([-np.inf if score is None else score for score in told["found"]], float)
        return Match(
            found, np.array(told["false"], float), np.array(told["diameter_mm"], float), np.zeros(len(found), int)
        )

    return Case(**(row | {"stages": {name: match_of(told) for name, told in row["stages"].items()}}))


def ablate(options: argparse.Namespace) -> None:
    """Train each variant beside the run, and measure all on the same heads with many bleeds."""
    banks = fewer_heads(load_sides(options.run, load_bank))
    shown = many_bleeds(options.run, options.label_maps, options.heads)
    plan = TrainingPlan(
        steps=100_000, minutes=options.minutes, seed=options.seed, threads=options.threads, validate_every=250
    )
    variants = {"all": (Makes(), []), "no_frst": (Makes().without_frst(), [])}
    variants |= {f"without_{modality}": (Makes(), [modality]) for modality in MODALITIES}
    print(f"Simulated heads; both networks, {options.minutes:g} minutes from nothing, without clean-up.")
    for name, (makes, held_out) in variants.items():
        if not options.only or name in options.only:
            folder = options.run / f"ablate_{name}"
            if not (folder / f"{DISCRIMINATOR}.onnx").is_file():
                train_and_export(hold_out(banks, held_out), folder, plan, Course(ABLATION_LESSONS), networks=makes)
            tell_variant(name, folder, shown)


def with_fresh(run: Path) -> Banks[Bank]:
    """The banks of a training, or the end where nothing can be measured."""
    banks = load_sides(run, load_bank)
    if banks.fresh is None:
        sys.exit(f"{run} has no bank of fresh heads: train with --validation")
    return banks


def fewer_heads(banks: Banks[Bank]) -> Banks[Bank]:
    """Every `ABLATION_EVERY`th head to learn from."""
    heads = sorted({str(row["facts"]["head"]) for row in banks.training.rows})[::ABLATION_EVERY]
    rows = banks.training.rows
    return replace(
        banks, training=banks.training.only(i for i, row in enumerate(rows) if row["facts"]["head"] in heads)
    )


def many_bleeds(run: Path, label_maps: Path, heads: Sequence[str]) -> Bank:
    """Heads to measure variants on, drawn unless they are there."""
    paths = [map_of(label_maps, head) for head in heads]
    jobs = {MANY_BANK: plan_chunks(paths, MANY_HEADS, MANY_SEED, many=True)}
    build_folders(jobs, run, chunk_names, make_chunk, 1)
    return load_bank(run / MANY_BANK)


def tell_variant(name: str, folder: Path, shown: Bank) -> None:
    """Print what a training's exported networks find, by modality."""
    print(name)
    for modality in MODALITIES:
        matches, heads = judged(folder, shown.without([other for other in MODALITIES if other != modality]))
        told = []
        for at_least, size in ((SIZE_MM, f"{SIZE_MM:g}+"), (0.0, "all")):
            for rate in RATES:
                found = bootstrap_rows(partial(found_at, matches, rate, at_least), len(matches), heads)
                told.append(f"TPR {size} at {rate:g} FP {found}")
        counts = [sum(_counts(one, at_least)[0] for one in matches) for at_least in (SIZE_MM, 0.0)]
        print(f"    {modality}: {'  '.join(told)}  ({counts[0]} of {counts[1]} bleeds)", flush=True)


def found_at(matches: Sequence[Match], rate: float, at_least_mm: float, rows: Any) -> float:
    """Share of bleeds of a size and more that is found where so many marks per scan are false; of some scans."""
    some = [matches[row] for row in rows]
    limit = threshold_at(some, rate)
    scores = np.concatenate([one.found[_of_size(one, at_least_mm)] for one in some])
    return float((np.isfinite(scores) & (scores >= limit)).mean()) if scores.size else float("nan")


def students(options: argparse.Namespace) -> None:
    """Train students over seeds on the cubes of a run, with its teacher and without, and print what they reach."""
    run, banks = options.run, with_fresh(options.run)
    teacher = load_net(weights_in(run / TEACHER), TeacherNet)
    detector = weights_in(run / DETECTOR)
    of = {TRAINING_BANK: banks.training, VALIDATION_BANK: banks.validation, FRESH_BANK: banks.fresh}
    cubes = {name: load_cubes(cubes_folder(run, detector, name), bank) for name, bank in of.items() if bank is not None}
    each = TrainingPlan(
        steps=100_000, minutes=options.minutes, seed=options.seed, threads=options.threads, validate_every=100
    )
    course = Course(students=options.seeds)
    weights = train_students(
        cubes[TRAINING_BANK], cubes.get(VALIDATION_BANK), teacher, run / "ablate_students", each, course
    )
    nets = {name: load_net(path, StudentNet) for name, path in weights.items()}
    print("students, simulated candidates: mean over seeds [range of seeds], n cubes (label maps)")
    for one in compare_students(nets, cubes[FRESH_BANK]):
        print(f"    {one.question}, {one.scans}: {one.statistic} {one.value} n {one.value.n} ({one.value.groups})")


def judged(folder: Path, bank: Bank) -> tuple[list[Match], list[str]]:
    """What both exported networks say of each scan, whatever their threshold; and whose head it is."""
    networks = open_networks(folder)
    detector = onnx_asker(folder / f"{CANDIDATES}.onnx")
    discriminator = onnx_cube_asker(folder / f"{DISCRIMINATOR}.onnx")
    matches, heads = [], []
    for number in range(len(bank)):
        example = bank[number]
        found = find(detector, example, networks.candidate_threshold, most=None)
        score = judge(discriminator, example, found, networks.detector_share)
        matches.append(match(example, replace(found, score=score)))
        heads.append(str(bank.facts[number].get("head", number)))
    return matches, heads


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    first = verbs.add_parser("stages")
    first.add_argument("run", type=Path)
    first.add_argument("--label-maps", type=Path, required=True)
    first.add_argument("--heads", nargs="+", default=HEADS)
    first.add_argument("--each", type=int, default=10)
    first.add_argument("--first", type=int, default=0, help="number of the first draw: others are other heads")
    first.add_argument("--bleeds", type=int, help="in each head, none in every third; else as many as people have")
    first.add_argument("--slices", type=float, nargs="+", default=(1.0, 2.0, 4.0))
    first.set_defaults(go=stages)
    second = verbs.add_parser("ablate")
    second.add_argument("--label-maps", type=Path, required=True)
    second.add_argument("--heads", nargs="+", default=HEADS)
    second.add_argument("--only", nargs="+")
    second.set_defaults(go=ablate)
    third = verbs.add_parser("students")
    third.add_argument("--seeds", type=int, default=3)
    third.set_defaults(go=students)
    for verb, minutes in ((second, 10.0), (third, 2.0)):
        verb.add_argument("run", type=Path)
        verb.add_argument("--minutes", type=float, default=minutes)
        verb.add_argument("--seed", type=int, default=1)
        verb.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.go(options)


if __name__ == "__main__":
    main()
