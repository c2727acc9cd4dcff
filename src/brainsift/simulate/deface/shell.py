"""A layer of the head's surface peeled off over the face, as afni_refacer's shells do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainsift.simulate.deface.geometry import HeadGeometry, Mask
from brainsift.simulate.deface.misfit import Misfit, draw_misfit
from brainsift.simulate.deface.zone import Zone, zone_mask

COARSE_MM = 3.0
"""Depth is smooth: it is measured on this grid and interpolated."""


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
    return zone_mask(geometry, shell.zone, shell.misfit.matrix()) & (depth_below_skin(geometry) < shell.thick_mm)


def depth_below_skin(geometry: HeadGeometry) -> np.ndarray:
    """Distance in mm of each voxel of the head to the air around it, float32 (X, Y, Z); 0 or so in air."""
    steps = tuple(max(1, round(COARSE_MM / s)) for s in geometry.spacing_mm)
    spacing = [s * n for s, n in zip(geometry.spacing_mm, steps, strict=True)]
    head = geometry.head[tuple(slice(None, None, n) for n in steps)]
    # Sinuses and the throat are no surface that anybody sees; the field of view ends inside the neck.
    solid = ndimage.binary_fill_holes(
        np.pad(ndimage.binary_closing(head, iterations=2), ((0, 0), (0, 0), (1, 0)), mode="edge")
    )
    depth = ndimage.distance_transform_edt(np.pad(solid, 1, mode="edge"), sampling=spacing)[1:-1, 1:-1, 2:-1]
    scale = [1 / n for n in steps]
    fine: np.ndarray = ndimage.affine_transform(
        depth.astype(np.float32), scale, output_shape=geometry.shape, order=1, mode="nearest"
    )
    return fine
