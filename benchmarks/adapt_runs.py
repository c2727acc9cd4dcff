"""The trainings of the adaptation study, in an order in which each finds what it starts from; what is done stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from adapt_banks import TARGET_MIX, open_bank, pick

from brainsift.learn.adapt.domains import Domains
from brainsift.learn.adapt.lessons import Lessons
from brainsift.learn.adapt.train import Shape, answers, load_adapted, train_adapted
from brainsift.learn.quality.bank import Bank
from brainsift.learn.trainer import CHECKPOINT, TrainingPlan
from brainsift.tasks.quality.network import decode

SOURCE, TARGET, TEST, RUNS, RESULTS = "source", "target", "test", "runs", "results"

SMALL = Shape(widths=(16, 32, 64), per_part=8, per_axis=1)
"""Half the channels of the network that ships: a quarter of its arithmetic; three slices of an example a step."""

METHODS: dict[str, str] = {
    "source": "source only",
    "target": "target only",
    "finetuned": "fine-tuned",
    "joint": "both domains, two heads, not aligned",
    "one_head": "adversarial, one head",
    "two_heads": "adversarial, two heads",
    "semi": "adversarial, two heads, semi-supervised",
    "oracle": "oracle (all labels)",
}
"""Name → words. `joint` is not among the papers' rows: it tells what the alignment itself adds."""

LESSONS: dict[str, Lessons] = {
    "joint": Lessons(domain=0.0),
    "one_head": Lessons(two_heads=False),
    "two_heads": Lessons(),
    "semi": Lessons(semi="both"),
}
ALONE = Lessons(two_heads=False, domain=0.0)

DEFAULT_METHODS = tuple(METHODS)


@dataclass(frozen=True)
class Size:
    """How large the study is.

    Attributes
    ----------
    labelled : numbers of labelled target scans.
    unlabelled : target scans without labels.
    seeds : of first weights, order and draw of the labelled scans.
    source_steps, steps : of the training on the source, and of each adaptation; ``target only`` gets twice as many,
        since it starts from nothing.
    """

    labelled: tuple[int, ...] = (20, 100, 400)
    unlabelled: int = 1000
    seeds: int = 3
    source_steps: int = 5000
    steps: int = 300
    shape: Shape = field(default=SMALL)
    threads: int = 2


@dataclass(frozen=True)
class Job:
    """One training: method, labelled target scans (0: none, -1: all), seed."""

    method: str
    labelled: int
    seed: int

    @property
    def name(self) -> str:
        """Of its folder and results."""
        return f"{self.method}_{self.labelled if self.labelled >= 0 else 'all'}_{self.seed}"


def jobs(size: Size, methods: tuple[str, ...] = DEFAULT_METHODS) -> Iterator[Job]:
    """Seed by seed, so that an interrupted study has whole seeds; a seed's source first."""
    for seed in range(size.seeds):
        yield Job("source", 0, seed)
        yield from (Job("oracle", -1, seed) for _ in range("oracle" in methods))
        for labelled in size.labelled:
            yield from (Job(m, labelled, seed) for m in methods if m not in ("source", "oracle"))


def train_all(
    run: Path, size: Size, methods: tuple[str, ...] = DEFAULT_METHODS, tell: Callable[[str], None] = print
) -> int:
    """Train what is not trained yet and keep what each network says of the test scans; returns how many were new."""
    source, target, test = (open_bank(run / name) for name in (SOURCE, TARGET, TEST))
    (run / RESULTS).mkdir(parents=True, exist_ok=True)
    new = 0
    for job in jobs(size, methods):
        path = run / RESULTS / f"{job.name}.json"
        if path.exists():
            continue
        weights = _train(job, run, size, source, target)
        head = "source" if job.method == "source" else "target"
        said = [decode(row[:1]) for row in answers(load_adapted(weights, size.shape), test, head)]
        rows = {"proper": [round(a.proper, 5) for a in said], "tier": [a.tier() for a in said]}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(rows) + "\n", encoding="utf-8")
        part.replace(path)
        new += 1
        tell(f"{job.name} done")
    return new


def split_target(target: Bank, size: Size, labelled: int, seed: int) -> tuple[Bank | None, Bank]:
    """Labelled and unlabelled target scans of a seed; the fewer labelled are among the more, and none is in both."""
    pool = target.only(pick(target, max(size.labelled) + size.unlabelled, TARGET_MIX, seed))
    most = min(max(size.labelled), len(pool) - 1)
    count = len(pool) if labelled < 0 else min(labelled, most)
    return pool.only(range(count)) if count else None, pool.only(range(most, len(pool)))


def _train(job: Job, run: Path, size: Size, source: Bank, target: Bank) -> Path:
    few, many = split_target(target, size, job.labelled, job.seed)
    output = run / RUNS / job.name
    longer = {"source": size.source_steps, "target": 2 * size.steps, "oracle": 2 * size.steps}
    steps, from_nothing = longer.get(job.method, size.steps), job.method in ("source", "target")
    plan = TrainingPlan(
        steps=steps,
        seed=1000 * job.seed + np.searchsorted(sorted(METHODS), job.method).item(),
        threads=size.threads,
        learning_rate=4e-3 if from_nothing else 1.5e-3,
        validate_every=max(1, min(100, steps // 2)),
    )
    began = None if from_nothing else run / RUNS / Job("source", 0, job.seed).name / CHECKPOINT
    domains = {
        "source": Domains(source),
        "target": Domains(target=few),
        "finetuned": Domains(target=few),
        "oracle": Domains(target=few),
        "joint": Domains(source, few),
    }.get(job.method, Domains(source, few, many))
    lessons = LESSONS.get(job.method, ALONE)
    return train_adapted(domains, None, output, plan, lessons, shape=size.shape, start_from=began, quiet=True)
