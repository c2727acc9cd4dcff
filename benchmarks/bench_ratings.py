"""Real people's ratings: how well raters agree (ABIDE), and how far image metrics alone get (MR-ART, ABIDE).

    python benchmarks/bench_ratings.py ../shared/data/ratings/abide.tsv [--mrart DIR] [--trees 200]

ABIDE has 1,101 scans of 17 sites with up to three raters (exclude, doubtful, accept), MR-ART 293 scans of 99 people who
were asked to keep still or to nod, scored by a neuroradiologist. Both tables hold MRIQC's metrics and no images. The
baseline is a random forest on those metrics, as MRIQC's own was: MR-ART by ten folds that keep each person on one side,
ABIDE by leaving out one site at a time. Needs scikit-learn (extra `train`); without the tables it says so and stops.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.confusion import binary_confusion, confusion
from brainsift.evaluate.intervals import Interval
from brainsift.evaluate.measured import balanced_accuracy_interval, kappa_interval, recall_interval
from brainsift.evaluate.ranking import auc_interval
from brainsift.evaluate.splits import grouped_folds

DEFAULT = Path(__file__).parents[2] / "shared" / "data" / "ratings" / "abide.tsv"
RATERS = ("rater_1", "rater_2", "rater_3")
MISSING = ("", "n/a", "nan")
FOLDS = 10
SEED = 0
LEFT_OUT = ("size_", "spacing_")
"""Metrics that name the protocol, and with it the site, not the quality."""


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def features(rows: Sequence[dict[str, str]], others: Sequence[str]) -> NDArray[np.float64]:
    """(n, metrics); a missing value is the median of its metric."""
    names = [name for name in rows[0] if name not in others and not name.startswith(LEFT_OUT)]
    values = np.array([[float("nan" if row[name] in MISSING else row[name]) for name in names] for row in rows])
    return np.where(np.isfinite(values), values, np.nanmedian(values, axis=0))


def grade(text: str) -> int | None:
    """A rating as a number; None where a rater gave none."""
    return None if text in MISSING else int(float(text))


def rater_kappas(rows: Sequence[dict[str, str]]) -> None:
    """Quadratic-weighted kappa of every two raters."""
    for first, second in combinations(RATERS, 2):
        table = confusion([grade(row[first]) for row in rows], [grade(row[second]) for row in rows], (-1, 0, 1))
        agree = np.trace(table.total) / table.n
        kappas = [kappa_interval(table, weighting) for weighting in ("quadratic", "none")]
        print(f"{first} / {second}: n = {table.n}, kappa {kappas[0]} (unweighted {kappas[1]}), same rating {agree:.0%}")


def out_of_fold(
    x: NDArray[np.float64], yes: NDArray[np.bool_], folds: NDArray[np.intp], trees: int
) -> NDArray[np.float64]:
    """(n,) probability of yes from a forest that saw neither the row nor its person or site."""
    from sklearn.ensemble import RandomForestClassifier

    p = np.full(len(yes), np.nan)
    for fold in np.unique(folds):
        test = folds == fold
        forest = RandomForestClassifier(trees, min_samples_leaf=3, class_weight="balanced", n_jobs=1, random_state=SEED)
        p[test] = forest.fit(x[~test], yes[~test]).predict_proba(x[test])[:, 1]
    return p


def report(name: str, yes: NDArray[np.bool_], p: NDArray[np.float64], groups: Sequence[str]) -> None:
    """Print one line of the table."""
    table = binary_confusion(yes, p >= 0.5, groups)
    figures: Iterator[tuple[str, Interval]] = iter(
        [
            ("BA", balanced_accuracy_interval(table)),
            ("sensitivity", recall_interval(table, 1)),
            ("specificity", recall_interval(table, 0)),
            ("AUC", auc_interval(yes, p, groups)),
        ]
    )
    told = ", ".join(f"{metric} {interval}" for metric, interval in figures)
    print(f"{name}: n = {len(yes)}, yes {int(yes.sum())}, groups {len(set(groups))}: {told}", flush=True)


def mrart(folder: Path, trees: int) -> None:
    """Metric-only baseline on MR-ART, person-grouped."""
    scores = {row["bids_name"]: int(row["score"]) for row in read(folder / "mrart_scores.tsv")}
    rows = [row for row in read(folder / "mrart_group_T1w.tsv") if row["bids_name"] in scores]
    x = features(rows, ("bids_name",))
    score = np.array([scores[row["bids_name"]] for row in rows])
    people = [row["bids_name"].split("_")[0] for row in rows]
    for name, among, level in (
        ("MR-ART bad (3 against 1-2)", (1, 2, 3), 3),
        ("MR-ART any fault (2-3 against 1)", (1, 2, 3), 2),
        ("MR-ART medium against good (2 against 1)", (1, 2), 2),
    ):
        used = np.isin(score, among)
        owners = [person for person, kept in zip(people, used, strict=True) if kept]
        yes = score[used] >= level
        report(name, yes, out_of_fold(x[used], yes, grouped_folds(owners, FOLDS, SEED), trees), owners)


def abide(rows: Sequence[dict[str, str]], trees: int) -> None:
    """Metric-only baseline on ABIDE, one site left out at a time; intervals count people, and sites for the second."""
    x = features(rows, ("subject_id", "site", *RATERS))
    sites = [row["site"] for row in rows]
    folds = np.unique(sites, return_inverse=True)[1]
    for name, ratings in (
        ("rater 1 or 2 excludes", [_worst(row, RATERS[:2]) for row in rows]),
        ("rater 3 excludes", [grade(row["rater_3"]) for row in rows]),
    ):
        used = np.array([rating is not None for rating in ratings])
        yes = np.array([rating == -1 for rating in ratings])[used]
        p = out_of_fold(x[used], yes, folds[used], trees)
        of_sites = [site for site, kept in zip(sites, used, strict=True) if kept]
        report(f"ABIDE {name}, people resampled", yes, p, [str(i) for i in range(len(yes))])
        report(f"ABIDE {name}, sites resampled", yes, p, of_sites)


def _worst(row: dict[str, str], raters: Sequence[str]) -> int | None:
    given = [rating for rater in raters if (rating := grade(row[rater])) is not None]
    return min(given) if given else None


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("abide", type=Path, nargs="?", default=DEFAULT)
    parser.add_argument("--mrart", type=Path, help="folder of mrart_*.tsv; that of ABIDE's table if not given")
    parser.add_argument("--trees", type=int, default=200)
    options = parser.parse_args()
    if not options.abide.is_file():
        print(f"{options.abide} is not there: nothing is measured.")
        return
    rows = read(options.abide)
    rater_kappas(rows)
    mrart(options.mrart or options.abide.parent, options.trees)
    abide(rows, options.trees)


if __name__ == "__main__":
    main()
