"""How lesions look: their signal beside that of white matter, grey matter and fluid."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.lesions.plan import PlacedLesions
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]

HAZE_EDGES = 3.0
"""Edges outside a lesion over which white matter that looks normal has begun to change."""

LARGE_MM = 2.5
"""Lesions whose inside reaches this deep may be hollow."""

MAX_T1_DEPTH = 1.25
"""Share of the way from white to grey matter; black holes beside, nothing is darker than a little below grey."""


BARELY_SHARE, BARELY_DEPTH, DEPTH = 0.2, (0.12, 0.3), (0.3, 1.05)
"""Of the way from white to grey matter. Normal white matter of twelve real T1w brains varies by 0.06 to 0.10 of the way
to fluid (standard deviation), about a sixth of the way to grey: what is much less is seen by nobody."""


@dataclass(frozen=True)
class Look:
    """What was drawn of the lesions' signal.

    Attributes
    ----------
    t1_depth : share of the way from white to grey matter on T1w: 0.15 is barely seen, 1 looks grey.
    flair_gain : signal on FLAIR relative to the brighter of white and grey matter.
    variation : standard deviation of the logarithm of both, from lesion to lesion.
    size_gain : by how much lesions are stronger per millimetre of depth: large ones are darker.
    haze : share of the change in the white matter just around.
    hollow_share : of large lesions have a core of fluid.
    hollow_depth : how far the core's signal goes from the lesion's to that of fluid.
    hollow_mm : depth at which the core begins.
    texture, texture_mm : standard deviation relative to the lesion's own change, and its length.
    seed : of variation and texture.
    """

    t1_depth: float
    flair_gain: float
    variation: float
    size_gain: float
    haze: float
    hollow_share: float
    hollow_depth: float
    hollow_mm: float
    texture: float
    texture_mm: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Levels:
    """Signal of lesions on the box around the brain, 0 where nothing changes.

    Attributes
    ----------
    strength : float32, relative strength of the change in each lesion (1 on average), with its texture.
    amount : float32, 0 to 1, how much of each voxel has changed: the fraction, and a haze around it.
    hollow : float32, 0 to 1, how far the signal goes to that of fluid.
    """

    strength: Float32
    amount: Float32
    hollow: Float32


def draw_look(rng: np.random.Generator) -> Look:
    """Draw how lesions look; a fifth of people's are barely seen on T1w."""
    barely = rng.random() < BARELY_SHARE
    return Look(
        t1_depth=float(rng.uniform(*(BARELY_DEPTH if barely else DEPTH))),
        flair_gain=float(rng.uniform(1.12, 1.8)),
        variation=float(rng.uniform(0.05, 0.35)),
        size_gain=float(rng.uniform(0, 0.12)),
        haze=float(rng.uniform(0, 0.3)) if rng.random() < 0.6 else 0.0,
        hollow_share=float(rng.uniform(0.05, 0.5)) if rng.random() < 0.4 else 0.0,
        hollow_depth=float(rng.uniform(0.3, 1.0)),
        hollow_mm=float(rng.uniform(1.0, 2.5)),
        texture=float(rng.uniform(0.02, 0.2)),
        texture_mm=float(rng.uniform(2, 6)),
        seed=int(rng.integers(2**31)),
    )


def lesion_levels(placed: PlacedLesions, look: Look) -> Levels:
    """Signal of every voxel near a lesion; 0.1 s at 1 mm."""
    rng = np.random.default_rng(look.seed)
    ground = placed.ground
    lesion, fraction = placed.lesion[ground.box], placed.fraction[ground.box]
    count = int(lesion.max()) + 1
    own = np.exp(look.variation * rng.standard_normal(count)).astype(np.float32)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, lesion.ravel(), placed.depth_mm.ravel())
    own *= 1 + np.float32(look.size_gain) * np.minimum(deepest, 8) - np.float32(look.size_gain)
    is_hollow = (rng.random(count) < look.hollow_share) & (deepest > max(LARGE_MM, look.hollow_mm))
    texture = spline_field(rng, ground.shape, look.texture_mm / ground.spacing_mm)
    strength = (own * (own > 0))[lesion] * (1 + np.float32(look.texture) * texture)
    # A layer as wide as a ventricle is no single cyst: its cores lie where the texture happens to be high.
    core = np.clip((placed.depth_mm - look.hollow_mm) / 1.5, 0, 1) * np.clip(texture + 0.8, 0, 1)
    white = ground.white | ground.infratentorial
    haze = np.float32(look.haze) * np.clip((placed.level + HAZE_EDGES) / HAZE_EDGES, 0, 1) * white
    strength = np.where(lesion > 0, strength, np.float32(1))
    amount = np.maximum(fraction, haze) if placed.load_ml > 0 else np.zeros_like(fraction)
    hollow = np.where(is_hollow[lesion], core * np.float32(look.hollow_depth), np.float32(0))
    return Levels(strength.astype(np.float32), amount.astype(np.float32), hollow.astype(np.float32))


def paint_t1w(tissue: Float32, levels: Levels, look: Look, white: float, grey: float, fluid: float) -> Float32:
    """Blend lesions into a T1w image of the box; the healthy image where there are none.

    Parameters
    ----------
    tissue : float32 (X, Y, Z), healthy signal.
    white, grey, fluid : mean signal of white matter, cortex and CSF.
    """
    depth = np.clip(np.float32(look.t1_depth) * levels.strength, 0, MAX_T1_DEPTH)
    signal = np.float32(white) + depth * np.float32(grey - white)
    return _blend(tissue, signal, levels, fluid)


def paint_real_t1w(image: Float32, levels: Levels, look: Look, grey: float, fluid: float) -> Float32:
    """Blend lesions into a real T1w image of the box, whose own noise and field they keep.

    Parameters
    ----------
    image : float32 (X, Y, Z), white matter about 1.
    grey, fluid : signal of cortex and CSF on that scale.
    """
    depth = np.clip(np.float32(look.t1_depth) * levels.strength, 0, MAX_T1_DEPTH)
    return _blend(image, image * (1 - depth * np.float32(1 - grey)), levels, fluid)


def paint_flair(tissue: Float32, levels: Levels, look: Look, white: float, grey: float, fluid: float) -> Float32:
    """Blend lesions into a FLAIR image of the box, brighter than white and grey matter; hollow ones are as fluid."""
    top = max(white, grey)
    gain = np.maximum(1 + np.float32(look.flair_gain - 1) * levels.strength, np.float32(1.03))
    return _blend(tissue, np.float32(top) * gain, levels, fluid)


def _blend(tissue: Float32, signal: Float32, levels: Levels, fluid: float) -> Float32:
    signal = signal + levels.hollow * (np.float32(fluid) - signal)
    # Where nothing changes, the difference is added 0 times: the healthy signal stays to the bit.
    painted: Float32 = tissue + levels.amount * (signal - tissue)
    return painted
