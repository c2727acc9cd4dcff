"""Measure the anatomy pass on simulated heads of people that training did not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import BRAIN, Tissue
from brainsift.anatomy.network import Segments
from brainsift.anatomy.refine import refine_posterior
from brainsift.evaluate.intervals import Interval, bootstrap
from brainsift.evaluate.overlap import dice
from brainsift.learn.anatomy_data import deform_head, draw_painting, paint_head
from brainsift.simulate.contrast import SEQUENCES
from brainsift.simulate.labelmap import load_label_map

Float32 = NDArray[np.float32]

TISSUE_NAMES = tuple(t.name.lower() for t in Tissue if t > Tissue.HEAD)
DICE_GROUPS = {t.name.lower(): (int(t),) for t in Tissue if t} | {"brain": tuple(map(int, BRAIN))}
EVALUATION_SEED = 7_001
"""Never used in training or for choosing a checkpoint."""


@dataclass(frozen=True)
class Condition:
    """A kind of simulated scan: its contrast (None: drawn as in training) and whether the head is left uncut."""

    name: str
    contrast: str | None
    whole: bool


CONDITIONS = (
    Condition("any contrast, whole head", None, True),
    Condition("random contrast, whole head", "random", True),
    *(Condition(f"{kind}, whole head", kind, True) for kind in SEQUENCES),
    Condition("any contrast; cut, stripped or defaced as in training", None, False),
)


@dataclass(frozen=True)
class ConditionResult:
    """Dice by region with 95 % intervals (people resampled), and how many images and people are behind them."""

    condition: str
    images: int
    people: int
    dice: dict[str, Interval]


def simulated_heads(
    paths: Sequence[Path], condition: Condition, images: int, seed: int = EVALUATION_SEED
) -> Iterator[tuple[str, Float32, NDArray[np.uint8]]]:
    """(person, image, classes) of `images` heads, the same number for every label map."""
    rng = np.random.default_rng([seed, CONDITIONS.index(condition) if condition in CONDITIONS else 999])
    for path in paths:
        head = load_label_map(path)
        for _ in range(images // len(paths)):
            deformed = deform_head(rng, head)
            image, tissue = paint_head(deformed, draw_painting(rng, head.values, condition.contrast, condition.whole))
            yield path.name, image, tissue


def evaluate_anatomy(
    network: Segments,
    paths: Sequence[Path],
    condition: Condition,
    images: int,
    refine: bool,
    progress: Callable[[], None] = lambda: None,
) -> ConditionResult:
    """Dice of the network's labels, with or without refinement by the image, under one condition."""
    scores: list[dict[str, float]] = []
    people: list[str] = []
    for person, image, truth in simulated_heads(paths, condition, images):
        posterior = network.posterior(image)
        if refine:
            posterior = refine_posterior(posterior, image).posterior
        score = dice(posterior.argmax(0).astype(np.uint8), truth, DICE_GROUPS)
        score["mean_tissue"] = float(np.nanmean([score[name] for name in TISSUE_NAMES]))
        scores.append(score)
        people.append(person)
        progress()
    intervals = {name: bootstrap([s[name] for s in scores], people) for name in scores[0]}
    return ConditionResult(condition.name, len(scores), len(set(people)), intervals)
