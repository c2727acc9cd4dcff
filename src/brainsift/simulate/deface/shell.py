"""A layer of the head's surface peeled off over the face, as afni_refacer's shells do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainsift.simulate.deface.geometry import HeadGeometry, Mask
from brainsift.simulate.deface.misfit import Misfit, draw_misfit
from brainsift.simulate.deface.zone import Zone, zone_mask


@dataclass(frozen=True)
class Shell:
    """A peeled layer: its thickness in mm, where (a zone reaching far back), and the registration's error."""

    thick_mm: float
    zone: Zone
    misfit: Misfit


def draw_shell(rng: np.random.Generator, aim: str) -> Shell:
    """Draw a layer that should do what `aim` says on a usual head."""
    misfit = draw_misfit(rng, 1.5)
    if aim == "excessive":
        return Shell(float(rng.uniform(14, 45)), Zone(float(rng.uniform(12, 40)), True, 12.0), misfit)
    if aim == "insufficient":
        if rng.random() < 0.35:
            return Shell(float(rng.uniform(14, 30)), Zone(float(rng.uniform(-4, 3)), ears=False), misfit)
        return Shell(float(rng.uniform(2, 9)), Zone(float(rng.uniform(0, 8)), True, 10.0), misfit)
    return Shell(float(rng.uniform(14, 34)), Zone(float(rng.uniform(-4, 3)), True, float(rng.uniform(-1, 5))), misfit)


def reach_of_shell(shell: Shell, geometry: HeadGeometry) -> Mask:
    """Voxels of the layer, bool (X, Y, Z), and the air before it; 0.2 s for 192x224x192."""
    return zone_mask(geometry, shell.zone, shell.misfit.matrix()) & (geometry.depth_below_skin < shell.thick_mm)
