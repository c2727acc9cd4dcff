"""How measured noise is weighed against what the network sees: fitted on the heads that networks learn from.

    python benchmarks/bench_noise.py --build --each 3        # cases of heads 1 to 16; 2.5 s each; goes on
    python benchmarks/bench_noise.py MODEL

Cases are those of `bench_quality_musts.py`, of other heads. Finds the constants of `tasks/quality/noise.py` under which
the grades are likeliest, each scan weighing alike, and prints balanced accuracy of the three grades for network,
measure and both, on those heads and, where they are built, on the cases of heads 17 to 20. All scans are simulated.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bench_quality_musts import CACHE, DATA, kept_answers, logits_of, told
from quality_cases import build, plan_fit
from scipy.optimize import minimize

from brainsift.evaluate.confusion import confusion
from brainsift.evaluate.measured import balanced_accuracy_interval
from brainsift.learn.quality.bank import load_bank
from brainsift.learn.quality.truth import COLUMNS
from brainsift.simulate.artefacts.grades import CUTS
from brainsift.tasks.quality.network import OUTPUTS, sigmoid
from brainsift.tasks.quality.noise import LARGEST, LIMITS, MEASURE, MOST, NETWORK, SCALE, STILL

SEEN = [OUTPUTS.index(f"noise_at_least_{grade}") for grade in (1, 2)]
MOVED = OUTPUTS.index("motion_at_least_1")
PRIOR = np.log([0.5, 10.0, 1.0])
PRIOR_SD = np.array([0.5, 0.2, 0.1])
"""Simulated noise is white, so that a free fit believes the measure without limit; real noise is not."""


@dataclass(frozen=True, eq=False)
class Cases:
    """Cases whose SNR was measured.

    Attributes
    ----------
    seen : (N, 2), the network's log-odds of both grades of noise.
    moved : (N,), its probability of movement.
    snr, truth : (N,), as measured; the true score.
    people : whose heads.
    """

    seen: np.ndarray
    moved: np.ndarray
    snr: np.ndarray
    truth: np.ndarray
    people: list[str]


def cases(model: Path, cache: Path, part: str) -> Cases:
    """Those of a part."""
    bank = load_bank(cache / part)
    logits = logits_of(model, bank, kept_answers(cache, model, part))
    snr = np.array([f["measured_snr"] or np.inf for f in bank.facts])
    use = np.flatnonzero(snr <= LARGEST)
    said = np.array([logits[f["case"]][0] for f in bank.facts])[use]
    truth = bank.truth[use, COLUMNS.index("noise")]
    return Cases(said[:, SEEN], sigmoid(said[:, MOVED]), snr[use], truth, [bank.people[i] for i in use])


def odds(weights: np.ndarray, given: Cases) -> np.ndarray:
    """Log-odds of both grades, (N, 2), as `tasks/quality/noise.py` adds them."""
    network, measure, scale = weights
    measured = measure * np.log(scale * np.array(LIMITS) / given.snr[:, None])
    charged = np.where(measured > 0, measured * (1 - given.moved[:, None]) ** STILL, measured)
    result: np.ndarray = network * given.seen + np.clip(charged, -MOST, MOST)
    return result


def fit(given: Cases) -> np.ndarray:
    """Network's share, slope and scale of greatest posterior."""
    reached = given.truth[:, None] > np.array(CUTS)

    def loss(logs: np.ndarray) -> float:
        z = odds(np.exp(logs), given)
        return float((np.logaddexp(0, z) - reached * z).sum() + 0.5 * (((logs - PRIOR) / PRIOR_SD) ** 2).sum())

    best: np.ndarray = np.exp(minimize(loss, PRIOR, method="Nelder-Mead", options={"maxiter": 2000}).x)
    return best


def table(given: Cases, weights: np.ndarray) -> list[str]:
    """Balanced accuracy of the three grades in three ways."""
    grades = np.searchsorted(CUTS, given.truth, side="right").tolist()
    still = replace(given, moved=np.zeros_like(given.moved))
    ways = {
        "network alone": given.seen,
        "measure alone": odds(np.array([0.0, *weights[1:]]), still),
        "both": odds(weights, given),
    }
    lines = []
    for name, z in ways.items():
        said = ((z[:, 0] > 0).astype(int) + ((z[:, 0] > 0) & (z[:, 1] > 0))).tolist()
        lines.append(
            f"| {name} | {balanced_accuracy_interval(confusion(grades, said, (0, 1, 2), given.people))} | {len(said)} |"
        )
    return lines


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--each", type=int, default=3, help="paintings of each head, five scans each")
    parser.add_argument("--minutes", type=float, default=60.0, help="for --build")
    options = parser.parse_args()
    if options.build:
        left = build(plan_fit(options.data, options.each), options.cache, 60 * options.minutes, told)
        print(f"{left} files of the cache are still to be made")
    if options.model is None:
        return
    fitted = cases(options.model, options.cache, "fit")
    weights = fit(fitted)
    print(f"network {weights[0]:.3f}, measure {weights[1]:.2f}, scale {weights[2]:.3f}")
    print(f"in tasks/quality/noise.py: {NETWORK}, {MEASURE}, {SCALE}")
    for part, found in (("fit", fitted), ("simulated", cases(options.model, options.cache, "simulated"))):
        print(f"\n{part}\n| | balanced accuracy of three grades | n |\n|---|---|---|")
        print("\n".join(table(found, weights)))


if __name__ == "__main__":
    main()
