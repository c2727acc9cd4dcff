"""Cylinders: one along left and right through the face, or upright before it, and one through the ears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainsift.simulate.deface.geometry import HeadGeometry, Mask
from brainsift.simulate.deface.misfit import Misfit, draw_misfit
from brainsift.simulate.deface.zone import LINE_NORMAL


@dataclass(frozen=True)
class Cylinders:
    """One cylinder through the face, and perhaps one through both ears, in mm of MNI152.

    Attributes
    ----------
    upright : the face's axis is vertical; else it runs from left to right.
    centre_mm : of the face's cylinder: (y, z), or (x, y) where it is upright.
    radius_mm : its radius.
    ears_radius_mm : of the cylinder along x through the ears; 0 for none.
    ears_from_mm : it begins at this |x|.
    misfit : where all of it is laid.
    """

    upright: bool
    centre_mm: tuple[float, float]
    radius_mm: float
    ears_radius_mm: float
    ears_from_mm: float
    misfit: Misfit


EARS_YZ_MM = (-40.0, -52.0)
"""Middle of a pinna, y and z."""

NEAREST_MM = (58.0, -30.0)
"""Where the cylinder along x comes nearest to the frontal lobes, y and z."""

TOP_OF_UPRIGHT_MM = -28.0
"""Upright cylinders end below the frontal lobes."""


def draw_cylinders(rng: np.random.Generator, aim: str) -> Cylinders:
    """Draw cylinders that should do what `aim` says on a usual head."""
    deeper = {"excessive": rng.uniform(12, 40), "insufficient": rng.uniform(-50, -6)}.get(aim, rng.uniform(-5, 6))
    ears = 0.0 if aim == "insufficient" and rng.random() < 0.4 else float(rng.uniform(42, 58))
    inner = float(rng.uniform(69, 76)) - (float(rng.uniform(0, 12)) if aim == "excessive" else 0.0)
    upright = bool(rng.random() < 0.35)
    radius = float(rng.uniform(70, 110))
    if upright:
        centre = (0.0, 42.0 + radius - float(deeper))
    else:
        far = radius - float(deeper)
        centre = (NEAREST_MM[0] + LINE_NORMAL[0] * far, NEAREST_MM[1] + LINE_NORMAL[1] * far)
    return Cylinders(upright, centre, radius, ears, inner, draw_misfit(rng))


def reach_of_cylinders(cylinders: Cylinders, geometry: HeadGeometry) -> Mask:
    """Voxels in any cylinder, bool (X, Y, Z)."""
    x, y, z = geometry.mni(cylinders.misfit.matrix())
    a, b = cylinders.centre_mm
    if cylinders.upright:
        mask: Mask = ((x - a) ** 2 + (y - b) ** 2 < cylinders.radius_mm**2) & (z < TOP_OF_UPRIGHT_MM)
    else:
        mask = (y - a) ** 2 + (z - b) ** 2 < cylinders.radius_mm**2
    if cylinders.ears_radius_mm > 0:
        near = (y - EARS_YZ_MM[0]) ** 2 + (z - EARS_YZ_MM[1]) ** 2 < cylinders.ears_radius_mm**2
        mask |= near & (np.abs(x) > cylinders.ears_from_mm)
    return mask
