"""Measure the anatomy pass on simulated heads of people that training did not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import INTRACRANIAL
from brainsift.anatomy.network import AnatomyNetwork, network_alone
from brainsift.anatomy.stages import draw_edges, find, lay
from brainsift.evaluate.intervals import Interval, bootstrap
from brainsift.evaluate.overlap import dice
from brainsift.learn.anatomy.data import THICKEST_SLICE_MM, deform_head, draw_painting, paint_head
from brainsift.learn.anatomy.train import DICE_GROUPS as TRAINING_GROUPS
from brainsift.learn.anatomy.train import TISSUE_NAMES
from brainsift.simulate.contrast import SEQUENCES
from brainsift.simulate.labelmap import load_label_map

Float32 = NDArray[np.float32]
Labeller = Callable[[Float32], Float32]

DICE_GROUPS = TRAINING_GROUPS | {"intracranial": tuple(map(int, INTRACRANIAL))}

EVALUATION_SEED = 7_002
"""Never used in training or for choosing a checkpoint."""


THIN_SLICE_MM = 2.0
"""What is called a 3D scan has voxels of this size at the most."""


@dataclass(frozen=True)
class Condition:
    """A kind of simulated scan: its contrast (None: drawn as in training), whether the head is left uncut, and how
    thick a slice may be."""

    name: str
    contrast: str | None
    whole: bool
    slices_mm: float = THICKEST_SLICE_MM


CONDITIONS = (
    Condition("random contrast, whole head, slices up to 2 mm", "random", True, THIN_SLICE_MM),
    *(Condition(f"{kind}, whole head, slices up to 2 mm", kind, True, THIN_SLICE_MM) for kind in SEQUENCES),
    Condition("any contrast, whole head, slices up to 7 mm", None, True),
    Condition("any contrast, slices up to 7 mm; cut, stripped or defaced", None, False),
)


@dataclass(frozen=True)
class ConditionResult:
    """Dice by region with 95 % intervals (people resampled), and how many images and people are behind them."""

    condition: str
    images: int
    people: int
    dice: dict[str, Interval]


NETWORK_ALONE, UNBENT, MIXTURE, SHIPPED = (
    "network alone",
    "with the average head laid over it and a mixture model, not bent",
    "with the average head bent and a mixture model",
    "as shipped, the edges by a second network",
)


def stages_of(network: AnatomyNetwork) -> dict[str, Labeller]:
    """The anatomy pass stopped after each stage: normalised head (X, Y, Z) → posterior (10, X, Y, Z)."""

    def unbent(image: Float32) -> Float32:
        coarse, where = find(network.where, image)
        laid = lay(coarse, where)
        return network_alone(where) if laid is None else draw_edges(laid, image)

    return {
        NETWORK_ALONE: lambda image: network_alone(find(network.where, image)[1]),
        UNBENT: unbent,
        MIXTURE: replace(network, edges=None).posterior,
        SHIPPED: network.posterior,
    }


def simulated_heads(
    paths: Sequence[Path], condition: Condition, images: int, seed: int = EVALUATION_SEED
) -> Iterator[tuple[str, Float32, NDArray[np.uint8]]]:
    """(person, image, classes) of `images` heads, the same number for every label map."""
    rng = np.random.default_rng([seed, CONDITIONS.index(condition)])
    for path in paths:
        head = load_label_map(path)
        for _ in range(images // len(paths)):
            deformed = deform_head(rng, head)
            image, tissue = paint_head(
                deformed, draw_painting(rng, head.values, condition.contrast, condition.whole, condition.slices_mm)
            )
            yield path.name, image, tissue


def evaluate_anatomy(
    labellers: Mapping[str, Labeller],
    paths: Sequence[Path],
    condition: Condition,
    images: int,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, ConditionResult]:
    """Dice of each labeller's answer on the same images of one condition."""
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in labellers}
    people: list[str] = []
    for person, image, truth in simulated_heads(paths, condition, images):
        people.append(person)
        for name, labeller in labellers.items():
            score = dice(labeller(image).argmax(0).astype(np.uint8), truth, DICE_GROUPS)
            score["mean_tissue"] = float(np.nanmean([score[tissue] for tissue in TISSUE_NAMES]))
            scores[name].append(score)
        progress()
    return {
        name: ConditionResult(
            condition.name, len(rows), len(set(people)), {k: bootstrap([r[k] for r in rows], people) for k in rows[0]}
        )
        for name, rows in scores.items()
    }
