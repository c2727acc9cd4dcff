"""The label of a FLAIR: what a rater outlined, whether it is grossly wrong, and how well it fits."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.lesions.draw import draw_lesion_plan, place_lesions
from brainsift.simulate.lesions.ground import Ground
from brainsift.simulate.lesions.paint import Person
from brainsift.simulate.lesions.rater import FAULTS, Fault, Label, Rater, draw_rater, outline, spoil
from brainsift.simulate.lesions.shapes import ShapeBank
from brainsift.simulate.lesions.slices import Stack

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

OTHER_LOAD_ML = (1.0, 40.0)
"""Another person's label that is put in by mistake has something on it."""

SPOT_PLACES = 400
"""Voxels that are looked at for false spots."""

NEAR_SURFACE_MM = 4.0
"""False spots lie at the ventricles or under the cortex, where bright tissue is."""


@dataclass(frozen=True)
class Rating:
    """What was drawn: the rater, what is grossly wrong (None: nothing), and the seed of that."""

    rater: Rater
    fault: Fault | None
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class CoarseLabel:
    """A label on the slices.

    Attributes
    ----------
    label : uint8 (rows, columns, slices), 0 or 1.
    fault : what is grossly wrong with it; None for a usual label.
    dice : overlap with what a perfect rater outlines; 1 where both are empty.
    """

    label: Label
    fault: Fault | None
    dice: float


def draw_rating(rng: np.random.Generator, bad_share: float) -> Rating:
    """Draw a rater; a share of labels is grossly wrong.

    Raises
    ------
    ValueError
        if the share is not between 0 and 1.
    """
    if not 0 <= bad_share <= 1:
        raise ValueError(f"the share of bad labels must be between 0 and 1, got {bad_share}")
    fault = FAULTS[int(rng.integers(len(FAULTS)))]
    return Rating(draw_rater(rng), fault if rng.random() < bad_share else None, int(rng.integers(2**31)))


def rate(
    person: Person, stack: Stack, rating: Rating, voxel_mm: tuple[float, float, float], shapes: ShapeBank | None = None
) -> CoarseLabel:
    """Outline the person's lesions on a stack of slices; 0.4 s at 1 mm, twice that where another person's are needed.

    Parameters
    ----------
    voxel_mm : (3,), pixel and distance between slices.
    shapes : for another person's lesions.
    """
    rng = np.random.default_rng(rating.seed)
    share = stack.see(person.truth)
    places = _spot_places(rng, person.placed.ground, stack)
    label = outline(share, rating.rater, voxel_mm, places)
    fault = rating.fault
    if fault is not None:
        other = None
        if fault == "other_person" or not label.any() or np.count_nonzero(label) < 3:
            other = _of_other(rng, person, stack, rating.rater, voxel_mm, shapes)
        label, fault = spoil(label, fault, rng, voxel_mm, other)
    perfect = replace(rating.rater, threshold=0.5, jitter=0.0, miss_ml=0.0, miss_share=0.0, false_blobs=0)
    return CoarseLabel(label, fault, _dice(label, outline(share, perfect, voxel_mm, places)))


def _of_other(
    rng: np.random.Generator,
    person: Person,
    stack: Stack,
    rater: Rater,
    voxel_mm: tuple[float, float, float],
    shapes: ShapeBank | None,
) -> Label:
    """What is outlined in somebody else: fresh lesions, in a head mirrored left to right."""
    load = float(np.exp(rng.uniform(*np.log(OTHER_LOAD_ML))))
    plan = draw_lesion_plan(rng, person.head, load_ml=load, shapes=shapes)
    other = place_lesions(plan, person.head).fraction
    share = stack.see(np.ascontiguousarray(other[::-1]))
    return outline(share, rater, voxel_mm, np.zeros((0, 3)))


def _spot_places(rng: np.random.Generator, ground: Ground, stack: Stack) -> Float64:
    """Voxels (n, 3) of the stack that are white matter next to cortex or ventricle."""
    near = ground.white & (np.minimum(ground.ventricle_mm, ground.cortex_mm) < NEAR_SURFACE_MM)
    voxels = np.flatnonzero(near)
    if not voxels.size:
        return np.zeros((0, 3))
    chosen = rng.choice(voxels, min(SPOT_PLACES, voxels.size), replace=False)
    at = np.stack(np.unravel_index(chosen, ground.shape), axis=1) + [s.start for s in ground.box]
    back = np.linalg.inv(stack.affine)
    places: Float64 = at @ back[:3, :3].T + back[:3, 3]
    return places


def _dice(a: Label, b: Label) -> float:
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else 1.0
