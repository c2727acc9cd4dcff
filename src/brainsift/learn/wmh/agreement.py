"""The second step: how far each label agrees with the model that learnt from all of them, and what it is then worth.

A label that a model of many labels contradicts where it agrees with others of the same load is more likely wrong than
the model is (two-step procedure of Thyreau et al. 2022; their filter is not known to us, this one is ours).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.wmh.bank import Bank
from brainsift.learn.wmh.predict import Ask, ask_all, on_slices

Float64 = NDArray[np.float64]

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
"""The one that fits all labels best is taken: a model that learnt from halved and empty labels is less sure."""

NEIGHBOURS = 0.25
MIN_NEIGHBOURS = 12
"""Share of the labels, by load, that a label is compared with."""

GOOD_QUANTILE = 0.75
"""Of the neighbours' agreement: what a good label reaches. It holds while fewer than three quarters are bad."""

DROPPED_BELOW, FULL_FROM = 0.45, 0.75
"""Agreement as a share of what a good label reaches: below the first a label is dropped, from the second it counts in
full. Two raters reach about 0.8 of what one reaches with himself."""

SLIGHT_ML = 0.3
"""Below this difference in volume an empty or nearly empty label is not contradicted, whatever its overlap."""


@dataclass(frozen=True)
class Agreement:
    """One label against the first model.

    Attributes
    ----------
    name : of the example in its bank.
    label_ml, model_ml : volumes on the slices.
    dice : overlap on the slices; 1 where both are empty.
    expected : what a good label of this load reaches.
    weight : what the label is worth in the second step, 0 to 1.
    """

    name: str
    label_ml: float
    model_ml: float
    dice: float
    expected: float
    weight: float


def judge_labels(ask: Ask, bank: Bank, progress: Callable[[int, int], None] | None = None) -> list[Agreement]:
    """Agreement and weight of every label of a bank; those without slices count in full."""
    overlaps, volumes, label_ml = [], [], []
    for number, (example, fine) in enumerate(ask_all(ask, bank)):
        laid = on_slices(example, fine)
        voxel_ml = 0.0 if example.coarse is None else float(abs(np.linalg.det(example.coarse.affine[:3, :3]))) / 1000
        if laid is None:
            nothing = np.full(len(THRESHOLDS), np.nan)
            found, volume, label = nothing, nothing, float("nan")
        else:
            share, drawn, seen = laid
            found, volume, label = _overlaps(share[seen], drawn[seen], voxel_ml)
        overlaps.append(found)
        volumes.append(volume)
        label_ml.append(label)
        if progress is not None:
            progress(number + 1, len(bank))
    dice, model = np.array(overlaps), np.array(volumes)
    best = int(np.nanmean(dice, axis=0).argmax()) if np.isfinite(dice).any() else 0
    return weigh(bank.names, np.array(label_ml), model[:, best], dice[:, best])


def _overlaps(share: NDArray[np.float32], drawn: NDArray[np.bool_], voxel_ml: float) -> tuple[Float64, Float64, float]:
    """Dice and volume at each of `THRESHOLDS`, and the label's volume."""
    found = [share > threshold for threshold in THRESHOLDS]
    sizes = np.array([int(mask.sum()) for mask in found], float)
    shared = np.array([int((mask & drawn).sum()) for mask in found], float)
    total = sizes + int(drawn.sum())
    dice = np.where(total > 0, 2 * shared / np.maximum(total, 1), 1.0)
    return dice, sizes * voxel_ml, float(drawn.sum()) * voxel_ml


def weigh(names: Sequence[str], label_ml: Float64, model_ml: Float64, dice: Float64) -> list[Agreement]:
    """Weights from agreement; NaN agreement counts in full."""
    load = np.fmax(label_ml, model_ml)
    known = np.flatnonzero(np.isfinite(dice) & (load > SLIGHT_ML))
    expected = np.full(len(dice), np.nan)
    order = known[np.argsort(load[known], kind="stable")]
    count = min(len(order), max(MIN_NEIGHBOURS, round(NEIGHBOURS * len(order))))
    for place, row in enumerate(order):
        first = int(np.clip(place - count // 2, 0, len(order) - count))
        expected[row] = np.quantile(dice[order[first : first + count]], GOOD_QUANTILE)
    weight = np.ones(len(dice))
    reached = dice[known] / np.maximum(expected[known], 1e-6)
    weight[known] = np.clip((reached - DROPPED_BELOW) / (FULL_FROM - DROPPED_BELOW), 0, 1)
    weight[np.abs(label_ml - model_ml) < SLIGHT_ML * (load <= 2 * SLIGHT_ML)] = 1
    columns = zip(names, label_ml, model_ml, dice, expected, weight, strict=True)
    return [Agreement(name, *(float(v) for v in values)) for name, *values in columns]


def write_agreement(judged: Sequence[Agreement], path: Path) -> Path:
    """As TSV, for people to look up which labels were doubted."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(judged[0])), delimiter="\t")
        writer.writeheader()
        for one in judged:
            row = asdict(one)
            writer.writerow({k: v if isinstance(v, str) else round(v, 4) for k, v in row.items()})
    return path


def read_weights(path: Path, names: Sequence[str]) -> list[float] | None:
    """Weights of an earlier run for these examples, in their order; None where any is missing."""
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        told = {row["name"]: float(row["weight"]) for row in csv.DictReader(file, delimiter="\t")}
    return [told[name] for name in names] if all(name in told for name in names) else None
