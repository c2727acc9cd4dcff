"""What labels on thick slices are worth: four supervisions, and two steps against one where labels are bad.

    python benchmarks/bench_wmh_coarse.py runs/coarse --label-maps ../shared/data/label_maps
        --lesion-masks ../shared/data/lesion_masks --chunks 24 --steps 1500 --seeds 3

RUN keeps the banks, each training's weights and a row of `results.tsv` for each, so that an interrupted experiment goes
on. Every person is simulated, and so is every figure. All networks of one table see the same people, as many crops and
the same seeds; each chooses its threshold on validation people and is measured on others. Two steps take as many
updates in all as one. With `--box`, people are cut to a box about the ventricles first: cheaper, and no figure of whole
brains. `bad` labels are shifted by a centimetre, another person's, empty, or half missed.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy import special

from brainsift.anatomy.framing import Frame
from brainsift.evaluate.segmentation.agreement import icc
from brainsift.learn.label_maps import split_label_maps
from brainsift.learn.trainer import TrainingPlan, load_net
from brainsift.learn.wmh.agreement import read_weights
from brainsift.learn.wmh.bank import Bank, chunk_names, load_bank, write_chunk
from brainsift.learn.wmh.batches import Lessons
from brainsift.learn.wmh.build import ChunkJob, make_chunk, plan_chunks
from brainsift.learn.wmh.example import Example
from brainsift.learn.wmh.measure import CLEAR_ML, measure
from brainsift.learn.wmh.net import WmhNet
from brainsift.learn.wmh.predict import asker
from brainsift.learn.wmh.settings import choose_settings
from brainsift.learn.wmh.supervise import SUPERVISIONS
from brainsift.learn.wmh.train import WEIGHTS, train_twice, train_wmh
from brainsift.learn.workers import make_missing

VALIDATION_PEOPLE = ("head_17", "head_18", "head_19", "head_20")
RESULTS = "results.tsv"
COLUMNS = ("supervision", "bad", "procedure", "seed", "dice", "lesion_f1", "icc", "false_ml", "caught", "lost")


@dataclass(frozen=True)
class Run:
    """One training of the experiment."""

    supervision: str
    bad: float
    procedure: str
    seed: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.supervision}_bad{round(100 * self.bad)}_{self.procedure}_{self.seed}"


def cut_about_ventricles(example: Example, size: Sequence[int]) -> Example:
    """The part of an example about the middle of its ventricles; slices of the label stay where they are."""
    near = np.argwhere(example.anatomy[-1] > 250)
    middle = 2 * near.mean(axis=0) if len(near) else np.asarray(example.shape) / 2
    start = [2 * round(float(m - n / 2) / 2) for m, n in zip(middle, size, strict=True)]
    frame, half = (Frame(tuple(s // d for s in start), tuple(n // d for n in size)) for d in (1, 2))
    return replace(
        example,
        t1w=frame.cut(example.t1w),
        anatomy=np.stack([half.cut(channel) for channel in example.anatomy]),
        affine=frame.affine(example.affine),
        truth=None if example.truth is None else frame.cut(example.truth),
    )


def make_part(job: ChunkJob, folder: Path, box: tuple[int, ...]) -> Path:
    """Make a chunk, and keep its box alone."""
    if not box:
        return make_chunk(job, folder)
    whole = folder / "whole"
    make_chunk(job, whole)
    bank = load_bank(whole)
    rows = [i for i, name in enumerate(bank.names) if name.startswith(f"{job.name}/")]
    path = write_chunk([cut_about_ventricles(bank[i], box) for i in rows], folder, job.name)
    for made in whole.glob(f"{job.name}.*"):
        made.unlink()
    return path


def bank_of(options: argparse.Namespace, name: str, maps: Sequence[Path], chunks: int, seed: int, bad: float) -> Bank:
    """A bank in RUN, built where it is not there yet."""
    folder = options.run / name
    jobs = plan_chunks(
        maps, chunks, seed, shapes=options.lesion_masks, bad_label_share=bad, count=options.people_per_chunk
    )
    make = partial(make_part, folder=folder, box=tuple(options.box))
    make_missing(jobs, chunk_names(folder), make, options.workers)
    return load_bank(folder)


def train(run: Run, bank: Bank, options: argparse.Namespace) -> Path:
    """Train without a validation side, so that nothing of it is used."""
    plan = TrainingPlan(
        steps=options.steps, seed=run.seed, threads=options.threads, device=options.device, validate_every=options.steps
    )
    lessons = Lessons(
        crop=tuple(options.crop), size=options.batch, supervision=run.supervision, link=options.link, even=True
    )  # type: ignore[arg-type]
    procedure = train_twice if run.procedure == "two" else train_wmh
    return procedure(bank, None, options.run / run.name, plan, lessons, quiet=True, make=net_of(options))


def net_of(options: argparse.Namespace) -> partial[WmhNet]:
    """The network of the experiment."""
    return partial(WmhNet, widths=tuple(options.widths), last=options.widths[0])


def result(run: Run, bank: Bank, held_out: tuple[Bank, Bank], options: argparse.Namespace) -> dict[str, float]:
    """Train one network and measure it."""
    ask = asker(load_net(train(run, bank, options), net_of(options)))
    scores, people = measure(ask, held_out[1], choose_settings(ask, held_out[0]))
    clear = [one for one in scores if one.reference_ml >= CLEAR_ML]
    none = [one.result_ml for one in scores if one.reference_ml == 0]
    volumes = ([one.reference_ml for one in scores], [one.result_ml for one in scores])
    row = {
        "dice": float(np.mean([one.dice for one in clear])) if clear else math.nan,
        "lesion_f1": float(np.mean([one.lesion_f1 for one in clear])) if clear else math.nan,
        "icc": icc(*volumes, [f"{p}{i}" for i, p in enumerate(people)]).value,
        "false_ml": float(np.median(none)) if none else math.nan,
    }
    return row | doubted(bank, options.run / run.name / WEIGHTS)


def doubted(bank: Bank, weights: Path) -> dict[str, float]:
    """Share of the bad labels that lost half of their weight or more, and share of the good ones that did."""
    told = read_weights(weights, bank.names)
    bad = np.array([bool(facts.get("bad_label")) for facts in bank.facts])
    if told is None:
        return {"caught": math.nan, "lost": math.nan}
    low = np.array(told) <= 0.5
    return {
        "caught": float(low[bad].mean()) if bad.any() else math.nan,
        "lost": float(low[~bad].mean()) if (~bad).any() else math.nan,
    }


def over_seeds(values: Sequence[float]) -> str:
    """Mean over seeds with its 95 % interval by Student's t."""
    known = np.array([v for v in values if math.isfinite(v)])
    if not known.size:
        return "-"
    if known.size < 2:
        return f"{known.mean():.3f}"
    half = float(special.stdtrit(known.size - 1, 0.975)) * known.std(ddof=1) / math.sqrt(known.size)
    return f"{known.mean():.3f} ({known.mean() - half:.3f} to {known.mean() + half:.3f})"


def read_results(path: Path) -> dict[Run, dict[str, float]]:
    """What earlier calls have measured."""
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        Run(row["supervision"], float(row["bad"]), row["procedure"], int(row["seed"])): {
            name: float(row[name]) for name in COLUMNS[4:]
        }
        for row in rows
    }


def keep(path: Path, run: Run, row: dict[str, float]) -> None:
    """Add a row."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t")
        if new:
            writer.writeheader()
        writer.writerow({**vars(run), **row})


def table(title: str, rows: dict[str, list[Run]], done: dict[Run, dict[str, float]], against: str | None) -> None:
    """Print means over seeds, and differences of Dice to the row `against`, seed by seed."""
    names = ("dice", "lesion_f1", "icc", "false_ml", "caught", "lost")
    print(f"\n| {title} | {' | '.join(names)} | dice minus that of {against} |")
    print("|---" * (len(names) + 2) + "|")
    for name, runs in rows.items():
        cells = [over_seeds([done[run][column] for run in runs]) for column in names]
        apart = "-"
        if against is not None and name != against:
            pairs = zip(runs, rows[against], strict=True)
            apart = over_seeds([done[a]["dice"] - done[b]["dice"] for a, b in pairs])
        print(f"| {name} | {' | '.join(cells)} | {apart} |", flush=True)


def arguments() -> argparse.Namespace:
    """Parse."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--label-maps", type=Path, required=True)
    parser.add_argument("--lesion-masks", type=Path)
    parser.add_argument("--validation", nargs="+", default=list(VALIDATION_PEOPLE))
    parser.add_argument("--chunks", type=int, default=24, help="of the training bank")
    parser.add_argument("--held-out-chunks", type=int, default=6, help="to choose thresholds with; as many to measure")
    parser.add_argument("--people-per-chunk", type=int, default=4)
    parser.add_argument("--box", type=int, nargs=3, default=[], help="voxels about the ventricles, multiples of 16")
    parser.add_argument("--crop", type=int, nargs=3, default=[80, 96, 80])
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--widths", type=int, nargs=4, default=[24, 48, 96, 128])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--supervisions", nargs="+", default=list(SUPERVISIONS), choices=SUPERVISIONS)
    parser.add_argument("--bad", type=float, nargs="*", default=[0.0, 0.2, 0.4])
    parser.add_argument("--link", default="share", choices=("share", "rater"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def main() -> None:
    """Build, train, measure, print."""
    options = arguments()
    torch.set_num_threads(options.threads)
    split = split_label_maps(options.label_maps, options.validation)
    n = options.held_out_chunks
    held_out = (
        bank_of(options, "choose", split.validation, n, 900_000, 0.0),
        bank_of(options, "measure", split.validation, n, 1_800_000, 0.0),
    )
    seeds = range(1, options.seeds + 1)
    supervised = {s: [Run(s, 0.0, "one", seed) for seed in seeds] for s in options.supervisions}
    stepped = {
        f"{round(100 * bad)} % bad, {step} step": [Run("coarse", bad, step, seed) for seed in seeds]
        for bad in options.bad
        for step in ("one", "two")
    }
    done = read_results(options.run / RESULTS)
    for run in dict.fromkeys(run for runs in (*supervised.values(), *stepped.values()) for run in runs):
        if run in done:
            continue
        # One seed of the bank for every share: the same people, the same good labels.
        bank = bank_of(options, f"bank_bad{round(100 * run.bad)}", split.training, options.chunks, 1000, run.bad)
        done[run] = result(run, bank, held_out, options)
        keep(options.run / RESULTS, run, done[run])
    box = "whole brains" if not options.box else f"boxes of {options.box} mm about the ventricles"
    print(f"simulated; {len(held_out[1])} people to measure with, {box}; means over {options.seeds} seeds, 95 % by t")
    table("supervision", supervised, done, "fine" if "fine" in supervised else None)
    for bad in options.bad:
        name = f"{round(100 * bad)} % bad"
        rows = {key: runs for key, runs in stepped.items() if key.startswith(name)}
        table(f"labels, {name}", rows, done, f"{name}, one step")


if __name__ == "__main__":
    main()
