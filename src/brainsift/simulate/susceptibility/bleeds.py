"""Bleeds and calcifications of a head: how many, how large, where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.susceptibility.blob import Ball, Blob
from brainsift.simulate.susceptibility.frame import Frame
from brainsift.simulate.susceptibility.place import REGIONS

Float64 = NDArray[np.float64]

NONE_SHARE = 0.5
"""Of heads have no bleed."""

FEW_SHARE, FEW = 0.85, 0.4
"""Of the others have few (geometric, 2.5 in the mean), the rest some to dozens."""

MANY = (4, 40)

DIAMETER_MM = (2.1, 0.33)
"""Median and standard deviation of the logarithm of the blood itself. With what blooming adds, bleeds are seen at about
the sizes of real ones: 2.0 / 3.1 / 4.0 mm (5, 50, 95 %) in thin slices, 2.6 / 3.3 / 5.7 in thick ones
(../shared/science/microbleeds.md)."""

DIAMETER_LIMITS_MM = (0.7, 6.0)
SUSCEPTIBILITY_PPM = (0.4, 1.2)

WATER = (0.2, 0.8)
"""Signal of the blood relative to tissue, before it decays."""

FULL_MM = 2.0
"""Smaller bleeds hold thinner blood: their susceptibility falls with the diameter below this."""

ROUND_SHARE = 0.6
"""Of bleeds are one ball; the others are two or three that overlap."""

VARIOUS_MM = (1.5, 8.0)
VARIOUS_PPM = (0.15, 1.2)
VARIOUS_WATER = (0.0, 0.6)
"""Bleeds of any look, on scales of logarithms but for the last: up to the 10 mm that a microbleed may measure
(Greenberg 2009, Lancet Neurol 8:165), and balls with hardly any blooming. Learnt from bleeds of the usual sizes alone,
networks took balls of 5 to 6 mm that another simulation had painted for none."""

CALCIUM_PPM = (-1.6, -0.4)
CALCIFIED: tuple[tuple[tuple[float, float, float], float, tuple[float, float], bool], ...] = (
    ((23, -39, 10), 0.5, (0.8, 2.6), True),
    ((0, -31, 3), 0.55, (0.8, 2.5), False),
    ((0, 10, 52), 0.2, (0.7, 2.0), False),
    ((19, -4, 0), 0.2, (0.5, 1.6), True),
)
"""Choroid plexus of the trigone, pineal gland, falx, pallidum: centre in MNI152, share of heads, radius in mm, whether
there is one on each side."""

STRAY_SHARE = 0.15
"""Of heads have a calcification or two somewhere in the brain, where magnitude cannot tell it from a bleed."""


def draw_count(rng: np.random.Generator) -> int:
    """Draw how many bleeds a head has: none in half, few in most others, a tail to dozens."""
    if rng.random() < NONE_SHARE:
        return 0
    if rng.random() < FEW_SHARE:
        return int(rng.geometric(FEW))
    return round(_log_uniform(rng, *MANY))


def draw_bleed(
    rng: np.random.Generator, region: str, at: Float64, larger: float = 1.0, *, various: bool = False
) -> Blob:
    """Draw a bleed at a place (head voxels); all diameters are multiplied by `larger`.

    Parameters
    ----------
    various : of any size and look, instead of those of people.
    """
    median, spread = DIAMETER_MM
    if various:
        diameter = min(_log_uniform(rng, *VARIOUS_MM) * larger, VARIOUS_MM[1])
        chi = _log_uniform(rng, *VARIOUS_PPM)
    else:
        diameter = float(np.clip(np.exp(rng.normal(np.log(median), spread)) * larger, *DIAMETER_LIMITS_MM))
        chi = float(rng.uniform(*SUSCEPTIBILITY_PPM)) * min(1.0, 0.4 + 0.6 * diameter / FULL_MM)
    return Blob(
        at=_triple(at),
        balls=_balls(rng, diameter / 2),
        chi_ppm=chi,
        water=float(rng.uniform(*(VARIOUS_WATER if various else WATER))),
        kind="bleed",
        place=REGIONS[region].place,
        region=region,
    )


def draw_calcifications(rng: np.random.Generator, frame: Frame) -> list[Blob]:
    """Draw what is calcified in a head, in the places where it mostly is."""
    blobs = []
    for centre, share, radii, both in CALCIFIED:
        if rng.random() >= share:
            continue
        for side in (-1, 1) if both else (1,):
            x, y, z = np.array(centre) * (side, 1, 1) + rng.normal(0, 1.5, 3) * (1 if both else 0.4, 1, 1)
            y, z = (y + rng.uniform(-25, 25), z + rng.uniform(-10, 10)) if centre[2] > 40 else (y, z)
            blobs.append(_calcification(rng, frame.voxels((x, y, z)), float(rng.uniform(*radii))))
    if rng.random() < STRAY_SHARE:
        for _ in range(int(rng.integers(1, 3))):
            mni = rng.uniform((-55, -80, -10), (55, 50, 55))
            blobs.append(_calcification(rng, frame.voxels(mni), float(rng.uniform(0.5, 1.6))))
    return blobs


def _calcification(rng: np.random.Generator, at: Float64, radius_mm: float) -> Blob:
    return Blob(
        at=_triple(at),
        balls=_balls(rng, radius_mm),
        chi_ppm=float(rng.uniform(*CALCIUM_PPM)),
        water=float(rng.uniform(0.05, 0.5)),
        kind="calcification",
        place="",
        region="",
    )


def _balls(rng: np.random.Generator, radius_mm: float) -> tuple[Ball, ...]:
    """One ball, or two or three beside each other, of about the volume of one."""
    if rng.random() < ROUND_SHARE:
        return (Ball((0.0, 0.0, 0.0), radius_mm),)
    n = int(rng.integers(2, 4))
    each = radius_mm * n ** (-1 / 3) * 1.1
    away = rng.standard_normal((n, 3))
    away *= each * rng.uniform(0.5, 0.95) / np.linalg.norm(away, axis=1, keepdims=True)
    away -= away.mean(axis=0)
    return tuple(Ball(_triple(offset), each * float(rng.uniform(0.75, 1.0))) for offset in away)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _triple(values: Float64) -> tuple[float, float, float]:
    return (float(values[0]), float(values[1]), float(values[2]))
