"""Does the promise hold? Many calibrations on drawn labels, each judged on a population whose truth is known.

    python benchmarks/bench_bound.py [--draws 200] [--alpha 0.05] [--delta 0.05]

A person has a true chance of being good; a model says it more or less boldly; a person's scans share it, and err
together. For each draw `calibrate` chooses thresholds from the labelled scans; the error among the scans that they
accept, and reject, is then counted on 100,000 further people (one scan of each). Promised is that it exceeds alpha in
no more than delta of the draws, for each direction. The naive rule beside it takes the loosest threshold whose
*observed* error is at most alpha.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.decide.calibrate import Labelled, Promise, Tested, calibrate
from brainsift.decide.selective import GRID
from brainsift.decide.stored import Calibration, Way
from brainsift.evaluate.proportions import clopper_pearson
from brainsift.tasks.base import Finding

PEOPLE = 100_000
UNLABELLED = 200
WAYS: tuple[Way, ...] = ("accept", "reject")


@dataclass(frozen=True)
class Population:
    """Log odds of being good are normal (`centre`, `spread`); the model says them times `boast`, with `noise` added to
    each scan. With `blind`, that share is bad whatever the model says: every promise made is then a broken one."""

    name: str
    labelled: int
    scans_each: int = 1
    centre: float = 0.5
    spread: float = 5.0
    boast: float = 1.0
    noise: float = 0.0
    blind: float = 0.0

    def draw(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(n, scans_each) probabilities as said, (n,) truth."""
        odds = rng.normal(self.centre, self.spread, n)
        truth = rng.random(n) < (1 - self.blind if self.blind else 1 / (1 + np.exp(-odds)))
        said = self.boast * (odds[:, None] + rng.normal(0, 1, (n, self.scans_each)) * self.noise)
        return 1 / (1 + np.exp(-np.clip(said, -30, 30))), truth


POPULATIONS = (
    Population("sharp, honest model", 400),
    Population("sharp, boasting model (x3)", 400, boast=3.0),
    Population("nine of ten are good", 400, centre=6.0),
    Population("four scans a person, noisy", 400, scans_each=4, noise=1.0),
    Population("few labels", 150, spread=8.0),
    Population("weak model", 600, spread=2.5),
    Population("worst case: 5.5 % bad, unseen", 400, centre=6.0, spread=1.0, blind=0.055),
)


def finding(p: float) -> Finding:
    """What the quality task would say."""
    return Finding(task="quality", label="proper", probabilities={"proper": p})


def calibration_of(population: Population, promise: Promise, seed: int) -> tuple[Calibration, Tested]:
    """One draw of labelled and unlabelled scans, calibrated."""
    rng = np.random.default_rng(seed)
    p, truth = population.draw(population.labelled, rng)
    labelled = [
        Labelled(finding(float(said)), bool(good), str(person))
        for person, (scans, good) in enumerate(zip(p, truth, strict=True))
        for said in scans
    ]
    others = [finding(float(said)) for said in population.draw(UNLABELLED, rng)[0][:, 0]]
    return calibrate("quality", labelled, others, parts=("proper",), promise=promise, seed=seed)


def measure(population: Population, promise: Promise, draws: int) -> None:
    """Print one line: how often the promise broke, and how much was decided."""
    p, good = population.draw(PEOPLE, np.random.default_rng(10**6))
    said = p[:, 0]
    broken = dict.fromkeys((*WAYS, "all decided", "naive accept"), 0)
    made = dict.fromkeys(WAYS, 0)
    coverage = []
    for seed in range(draws):
        calibration, tested = calibration_of(population, promise, seed)
        sure = {"accept": calibration.probability.apply(said)}
        sure["reject"] = 1 - sure["accept"]
        decided, wrong = np.zeros(PEOPLE, bool), np.zeros(PEOPLE, bool)
        for way in WAYS:
            direction = calibration.pooled.direction(way)
            if direction.provisional or direction.threshold is None:
                continue
            chosen = sure[way] >= direction.threshold
            fault = chosen & (good != (way == "accept"))
            made[way] += 1
            broken[way] += bool(fault.sum() > promise.alpha(way) * chosen.sum())
            decided |= chosen
            wrong |= fault
        broken["all decided"] += bool(wrong.sum() > max(promise.accept, promise.reject) * decided.sum())
        coverage.append(decided.mean())
        broken["naive accept"] += naive_breaks(tested, sure["accept"], good, promise.accept)
    told = "  ".join(f"{name} {share(count, draws)}" for name, count in broken.items())
    print(f"{population.name:30s} {told}  decided {np.mean(coverage):.0%}, promises {made['accept']}/{made['reject']}")


def naive_breaks(tested: Tested, sure: NDArray[np.float64], good: NDArray[np.bool_], alpha: float) -> bool:
    """Whether the loosest threshold with an observed error of at most alpha is worse than alpha in truth."""
    scores, wrong = tested.confidence("accept"), tested.wrong("accept")
    fits = [t for t in GRID.tolist() if (scores >= t).any() and wrong[scores >= t].mean() <= alpha]
    return bool(fits) and bool((~good[sure >= min(fits)]).mean() > alpha)


def share(count: int, n: int) -> str:
    """Percentage with its exact interval."""
    interval = clopper_pearson(count, n)
    return f"{interval.value:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--alpha", type=float, default=0.05)
    parser.add_argument("--delta", type=float, default=0.05)
    options = parser.parse_args()
    promise = Promise(options.alpha, options.alpha, options.delta)
    print(
        f"error above {options.alpha:.0%}, in how many of {options.draws} draws; promised: {options.delta:.0%} at most"
    )
    for population in POPULATIONS:
        measure(population, promise, options.draws)


if __name__ == "__main__":
    main()
