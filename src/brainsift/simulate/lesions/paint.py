"""Paint a head with its lesions and mimics: the same person on T1w and on FLAIR."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.contrast import Contrast, tables
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.contrasts import levels_of
from brainsift.simulate.lesions.kinds import Kind
from brainsift.simulate.lesions.look import Levels, Look, lesion_levels, paint_flair, paint_t1w
from brainsift.simulate.lesions.mimics import (
    Mimics,
    PlacedMimics,
    paint_mimics_flair,
    paint_mimics_t1w,
    place_mimics,
)
from brainsift.simulate.lesions.plan import PlacedLesions
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]


SMOOTH = (0.1, 0.5)
"""How much of a label's spread shows. White matter varies by 0.03 to 0.12 of the way to fluid then (standard
deviation; two in twelve heads more), twelve real T1w brains by 0.06 to 0.10."""


@dataclass(frozen=True)
class Colours:
    """A contrast and its within-tissue variation.

    Attributes
    ----------
    contrast : mean and spread by label.
    smooth : the share of the spread that is used.
    texture_mm : its length.
    seed : of it.
    """

    contrast: Contrast
    smooth: float
    texture_mm: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Person:
    """A head with all that is in its white matter.

    Attributes
    ----------
    head : on the fine grid.
    placed, mimics : what lies where.
    look, drawn_mimics : how it looks.
    levels : signal of the lesions.
    truth : float32 (X, Y, Z) on the head's grid, share of each voxel that is lesion; what a mimic fills is none.
    """

    head: LabelMap
    placed: PlacedLesions
    mimics: PlacedMimics
    look: Look
    drawn_mimics: Mimics
    levels: Levels
    truth: Float32

    @property
    def load_ml(self) -> float:
        """Volume of the lesions, mL."""
        return float(self.truth.sum(dtype=np.float64)) * self.placed.ground.voxel_ml

    def kinds_ml(self) -> dict[str, float]:
        """Volume of each kind, mL."""
        box = self.placed.ground.box
        kinds, truth = self.placed.kinds[box].ravel(), self.truth[box].ravel()
        sums = np.bincount(kinds, weights=truth, minlength=len(Kind) + 1)
        return {kind.name.lower(): float(sums[kind]) * self.placed.ground.voxel_ml for kind in Kind}


def draw_colours(rng: np.random.Generator, contrast: Contrast) -> Colours:
    """Draw how even the tissues of a contrast look."""
    return Colours(contrast, float(rng.uniform(*SMOOTH)), float(rng.uniform(1.5, 6)), int(rng.integers(2**31)))


def make_person(head: LabelMap, placed: PlacedLesions, look: Look, mimics: Mimics) -> Person:
    """Put lesions and mimics together; where both would be, the mimic is seen and the lesion is not."""
    there = place_mimics(placed.ground, mimics)
    truth = placed.fraction.copy()
    truth[placed.ground.box] *= 1 - there.share
    return Person(head, placed, there, look, mimics, lesion_levels(placed, look), truth)


def healthy_head(head: LabelMap, colours: Colours) -> Float32:
    """The head without lesions or mimics, float32 (X, Y, Z) on its grid, brightest tissue about 1."""
    mean, spread = tables(colours.contrast)
    x, y, z = head.codes.shape
    field = spline_field(np.random.default_rng(colours.seed), (x, y, z), colours.texture_mm / head.spacing_mm)
    field *= (np.float32(colours.smooth) * spread)[head.codes]
    field += mean[head.codes]
    return field


def paint_t1w_head(person: Person, colours: Colours) -> Float32:
    """The person on T1w, float32 (X, Y, Z) on the head's grid."""
    image, box, levels = healthy_head(person.head, colours), person.placed.ground.box, levels_of(colours.contrast)
    lesioned = paint_t1w(image[box], person.levels, person.look, *levels)
    image[box] = paint_mimics_t1w(lesioned, person.mimics, person.drawn_mimics, *levels)
    return image


def paint_flair_head(person: Person, colours: Colours) -> Float32:
    """The person on FLAIR, float32 (X, Y, Z) on the head's grid."""
    image, box, levels = healthy_head(person.head, colours), person.placed.ground.box, levels_of(colours.contrast)
    lesioned = paint_flair(image[box], person.levels, person.look, *levels)
    image[box] = paint_mimics_flair(lesioned, person.mimics, person.drawn_mimics, *levels)
    return image
