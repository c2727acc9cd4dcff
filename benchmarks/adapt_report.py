"""Table and picture of the adaptation study, from what its networks said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from adapt_banks import classes, open_bank
from adapt_runs import METHODS, RESULTS, RUNS, TARGET, TEST, Job, Size
from numpy.typing import NDArray

from brainsift.evaluate.intervals import RESAMPLES, Interval, percentile_interval
from brainsift.learn.adapt.measure import BAD_QUALITY, STRAIGHT_REJECT, WORST_TIER, severe
from brainsift.learn.quality.bank import Bank

Float64 = NDArray[np.float64]

QUESTIONS = (STRAIGHT_REJECT, BAD_QUALITY)

COMPARED = (("two_heads", "one_head"), ("two_heads", "finetuned"), ("semi", "finetuned"), ("semi", "two_heads"))
"""Differences that the study is about; each network pair is judged on the same scans and resamples."""


@dataclass(frozen=True, eq=False)
class Counts:
    """What one method got right over its seeds.

    Attributes
    ----------
    right, asked : (people, seeds, 2), by truth: no, yes.
    """

    right: Float64
    asked: Float64

    def accuracies(self, weights: Float64) -> Float64:
        """Balanced accuracy (draws,), mean over seeds, for draws of people (draws, people)."""
        right, asked = (np.einsum("dp,psc->dsc", weights, part) for part in (self.right, self.asked))
        with np.errstate(invalid="ignore", divide="ignore"):
            per_class = right / asked
        mean: Float64 = per_class.mean(axis=2).mean(axis=1)
        return mean


def counts(run: Path, test: Bank, method: str, labelled: int, seeds: Iterable[int], question: str) -> Counts | None:
    """Read what was said; None where a seed is missing."""
    proper_truth, bad_truth = classes(test) == 0, severe(test.truth)
    people, owner = np.unique(np.array(test.people), return_inverse=True)
    rights, askeds = [], []
    for seed in seeds:
        path = run / RESULTS / f"{Job(method, labelled, seed).name}.json"
        if not path.exists():
            return None
        said = json.loads(path.read_text(encoding="utf-8"))
        lost = np.array(said["proper"]) <= 0.5
        if question == STRAIGHT_REJECT:
            rows, truth, answer = np.arange(len(test)), proper_truth, lost
        else:
            rows = np.flatnonzero(np.isfinite(bad_truth))
            truth, answer = bad_truth[rows] == 1, lost[rows] | (np.array(said["tier"])[rows] == WORST_TIER)
        right, asked = np.zeros((len(people), 2)), np.zeros((len(people), 2))
        np.add.at(asked, (owner[rows], truth.astype(int)), 1)
        np.add.at(right, (owner[rows], truth.astype(int)), answer == truth)
        rights.append(right)
        askeds.append(asked)
    return Counts(np.stack(rights, axis=1), np.stack(askeds, axis=1))


def draws(people: int, seed: int = 0) -> Float64:
    """How often each person is drawn, (1 + resamples, people); the first row takes each once."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(people, np.full(people, 1 / people), RESAMPLES)
    return np.concatenate([np.ones((1, people)), drawn]).astype(float)


def interval(values: Float64, n: int, people: int) -> Interval:
    """The first value with the interval of the others."""
    return percentile_interval(float(values[0]), values[1:], n, people)


def table(run: Path, size: Size) -> str:
    """Markdown: balanced accuracy of each method and number of labels, then the paired differences."""
    test = open_bank(run / TEST)
    people = len(set(test.people))
    weights = draws(people)
    said: dict[tuple[str, int, str], Float64] = {}
    for method in METHODS:
        for labelled in _labelled_of(method, size):
            for question in QUESTIONS:
                found = counts(run, test, method, labelled, range(size.seeds), question)
                if found is not None:
                    said[method, labelled, question] = found.accuracies(weights)
    head = (
        f"{len(test)} simulated scans filed as FLAIR, {people} deformed heads of four people's label maps that no "
        f"training saw; {size.seeds} seeds. Balanced accuracy, mean over the seeds [95 % interval, deformed heads "
        "resampled]. All figures are simulated."
    )
    lines = [head, "", f"| method | labelled FLAIR | {' | '.join(QUESTIONS)} |", "|---|---|---|---|"]
    for method, words in METHODS.items():
        for labelled in _labelled_of(method, size):
            cells = [said.get((method, labelled, question)) for question in QUESTIONS]
            if any(cell is not None for cell in cells):
                told = ["" if cell is None else str(interval(cell, len(test), people)) for cell in cells]
                lines.append(f"| {words} | {'all' if labelled < 0 else labelled} | {' | '.join(told)} |")
    lines += ["", f"| difference | labelled FLAIR | {' | '.join(QUESTIONS)} |", "|---|---|---|---|"]
    for first, second, labelled in _differences(size):
        cells = []
        for question in QUESTIONS:
            a, b = said.get((first, labelled, question)), said.get((second, _own(second, labelled), question))
            cells.append("" if a is None or b is None else _signed(interval(a - b, len(test), people)))
        if any(cells):
            lines.append(f"| {METHODS[first]}, minus {METHODS[second]} | {labelled} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _labelled_of(method: str, size: Size) -> Sequence[int]:
    return (0,) if method == "source" else (-1,) if method == "oracle" else size.labelled


def _own(method: str, labelled: int) -> int:
    return -1 if method == "oracle" else labelled


def _differences(size: Size) -> list[tuple[str, str, int]]:
    pairs = [*COMPARED, ("two_heads", "joint"), ("two_heads", "oracle"), ("semi", "oracle"), ("finetuned", "oracle")]
    return [(first, second, n) for first, second in pairs for n in size.labelled]


def _signed(value: Interval) -> str:
    return f"{value.value:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"


def features(run: Path, size: Size, job: Job, bank: Bank, rows: Sequence[int]) -> Float64:
    """What the heads of a trained network see of some scans, (n, hidden)."""
    import torch

    from brainsift.learn.adapt.train import load_adapted
    from brainsift.learn.quality.batches import whole

    net = load_adapted(run / RUNS / job.name / "checkpoint.pt", size.shape)
    with torch.no_grad():
        found = [net.hidden(whole(bank, [row])).numpy() for row in rows]
    return np.concatenate(found).astype(float)


def picture(run: Path, size: Size, source: Bank, each: int = 250) -> Path | None:
    """t-SNE of features before and after, by domain and by class, as SVG; None where a training is missing.

    Source scans and unlabelled target scans, none of them used as labelled target scans.
    """
    after = Job("two_heads", size.labelled[len(size.labelled) // 2], 0)
    before = Job("source", 0, 0)
    if not all((run / RUNS / job.name / "checkpoint.pt").exists() for job in (before, after)):
        return None
    from adapt_runs import split_target
    from adapt_svg import panels
    from sklearn.manifold import TSNE

    _, target = split_target(open_bank(run / TARGET), size, after.labelled, 0)
    shown = [(bank, range(min(each, len(bank)))) for bank in (source, target)]
    domain = np.repeat([0, 1], [len(rows) for _, rows in shown])
    kind = np.concatenate([classes(bank)[list(rows)] for bank, rows in shown])
    placed = []
    for job in (before, after):
        seen = np.concatenate([features(run, size, job, bank, rows) for bank, rows in shown])
        seen = (seen - seen.mean(axis=0)) / (seen.std(axis=0) + 1e-6)
        perplexity = min(30.0, (len(seen) - 1) / 3)
        placed.append(TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(seen))
    path = run / "features.svg"
    path.write_text(panels(placed, domain, kind), encoding="utf-8")
    return path
