"""What a person would see of a head from five sides: the first voxel above air along each ray, and what lies there.

Everything is NumPy on the standard grid. Rays run along its axes; for the two oblique views the grid is turned about
the vertical axis, which keeps columns whole, so that turning is a matter of copying columns.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.remember import remembered
from brainsift.tasks.defacing.frame import GRID_MM, GRID_SHAPE, StandardHead

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

VIEWS = ("front", "left_45", "right_45", "left", "right")
"""Named by the side of the patient that is seen."""

ROWS, COLUMNS = GRID_SHAPE[2], GRID_SHAPE[1]
"""Pixels of a view, 2 mm each: rows from the crown down."""

RAY_VOXELS = {"front": 90, "left_45": 84, "right_45": 84, "left": 60, "right": 60}
"""How far rays go, in voxels of 2 mm: past the middle of the head, and no further."""

SKIN_VOXELS = 3
"""Depth below the surface, 6 mm, over which brightness is averaged: skin and fat, or cut tissue."""

SIDE_OF = MappingProxyType({"left_45": -1.0, "right_45": 1.0})
"""Oblique view → direction of the patient's side that is seen, along x."""

OBLIQUE_START = 56
"""Voxels before the middle of the head where oblique rays start: 112 mm, before every cheek."""

EDGE_VOXELS = 2
"""Tissue this close to the end of the field of view was cut by it."""

NO_BRAIN_MM = 80.0
"""Stands for the thickness over the brain where a ray meets none."""


@dataclass(frozen=True, eq=False)
class View:
    """One side of a head, rows from the crown down, columns as the viewer sees them; all (ROWS, COLUMNS).

    Attributes
    ----------
    depth_mm : float32, from the plane before the head to the surface; NaN where a ray meets nothing.
    cover_mm : float32, from the surface to the brain along the ray; `NO_BRAIN_MM` where there is none.
    brightness : float32, mean grey value of the first 6 mm, in units of the brain's.
    edge : bool, the surface is an end of the field of view and none of the head.
    blanked : float32, share of the air before the surface that holds the exact value of padding.
    filled_mm : float32, from the plane before the head to the first voxel that the scan measured and nobody masked; NaN
        where there is none. Behind a cut it is flat, where the surface falls into bone and cavities.
    at_edge : bool, that voxel is the first of the field of view.
    """

    depth_mm: Float32
    cover_mm: Float32
    brightness: Float32
    edge: Bool
    blanked: Float32
    filled_mm: Float32
    at_edge: Bool

    @property
    def hit(self) -> Bool:
        """Where a ray met the head."""
        met: Bool = np.isfinite(self.depth_mm)
        return met


@remembered
def render_views(head: StandardHead, names: Sequence[str] = VIEWS) -> dict[str, View]:
    """Views by name; 0.05 s on one core for all five."""
    return {name: render_view(head, name) for name in names}


def render_view(head: StandardHead, name: str) -> View:
    """One view.

    Raises
    ------
    ValueError
        if there is no view of that name.
    """
    if name not in VIEWS:
        raise ValueError(f"Views are {', '.join(VIEWS)}, got {name!r}")
    image, tissue, brain, inside, blank = (
        cast_rays(array, name) for array in (head.image, head.tissue, head.brain, head.inside, head.blank)
    )
    met: Bool = np.asarray(tissue.any(axis=0))
    first = tissue.argmax(axis=0)
    filled = inside & ~blank
    before = np.arange(len(tissue), dtype=np.int16)[:, None, None] < np.where(met, first, len(tissue))
    measured = (before & inside).sum(axis=0)
    emptied = (before & blank).sum(axis=0)
    depth = (
        first + np.take_along_axis(_rounding(name), first, axis=0) - _within_voxel(image, first, head.threshold)
    ) * GRID_MM
    return View(
        depth_mm=np.where(met, depth, np.nan).astype(np.float32),
        cover_mm=_cover(brain, first, met),
        brightness=np.where(met, _below(image, first), 0).astype(np.float32),
        edge=met & _is_edge(inside, first),
        blanked=(emptied / np.maximum(measured, 1)).astype(np.float32),
        filled_mm=_first_filled(filled, name),
        at_edge=_is_edge(inside, filled.argmax(axis=0)),
    )


def cast_rays(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Order a grid as rays: (voxels along the ray from the viewer on, ROWS, COLUMNS).

    A viewer in front has the patient's right on the left of the picture; from the patient's right the nose points to
    the right.
    """
    if name == "front":
        rays = array[::-1, ::-1, ::-1].transpose(1, 2, 0)
    elif name == "right":
        rays = array[::-1, :, ::-1].transpose(0, 2, 1)
    elif name == "left":
        rays = array[:, ::-1, ::-1].transpose(0, 2, 1)
    else:
        rays = _oblique(array, SIDE_OF[name], RAY_VOXELS[name])
    return _fit_columns(rays[: RAY_VOXELS[name]])


def _oblique_places(side: float, length: int, shape: tuple[int, ...]) -> tuple[Float64, Float64]:
    """Where rays towards a viewer at (side, 1, 0) / sqrt(2), whose right hand is at (-1, side, 0) / sqrt(2), pass.

    Returns
    -------
    first and second voxel coordinate, each (length, COLUMNS).
    """
    towards = OBLIQUE_START - np.arange(length)[:, None]
    across = np.arange(COLUMNS)[None] - (COLUMNS - 1) / 2
    x = (shape[0] - 1) / 2 + (side * towards - across) / np.sqrt(2)
    y = (shape[1] - 1) / 2 + (towards + side * across) / np.sqrt(2)
    return x, y


def _oblique(array: NDArray[Any], side: float, length: int) -> NDArray[Any]:
    nx, ny, _ = array.shape
    i, j = (np.rint(at).astype(np.intp) for at in _oblique_places(side, length, array.shape))
    rays = array[np.clip(i, 0, nx - 1), np.clip(j, 0, ny - 1)]
    rays[(i < 0) | (i >= nx) | (j < 0) | (j >= ny)] = 0
    turned: NDArray[Any] = rays[:, :, ::-1].transpose(0, 2, 1)
    return turned


@functools.cache
def _rounding(name: str) -> Float32:
    """How much deeper each sampled column lies than its ray says, in voxels, (K, COLUMNS): without this, oblique views
    have steps like a staircase."""
    length = RAY_VOXELS[name]
    if name not in SIDE_OF:
        return np.zeros((length, COLUMNS), np.float32)
    side = SIDE_OF[name]
    x, y = _oblique_places(side, length, GRID_SHAPE)
    deeper = -(side * (np.rint(x) - x) + (np.rint(y) - y)) / np.sqrt(2)
    rounding: Float32 = deeper.astype(np.float32)
    return rounding


def _fit_columns(rays: NDArray[Any]) -> NDArray[Any]:
    """Pad the columns of rays (K, ROWS, C) with zeros to `COLUMNS`, evenly."""
    missing = COLUMNS - rays.shape[2]
    if not missing:
        return np.ascontiguousarray(rays)
    padded = np.zeros((*rays.shape[:2], COLUMNS), rays.dtype)
    padded[:, :, missing // 2 : COLUMNS - (missing - missing // 2)] = rays
    return padded


def _take(rays: NDArray[Any], index: NDArray[np.intp]) -> NDArray[Any]:
    """Values at one depth of each ray, (ROWS, COLUMNS)."""
    taken: NDArray[Any] = np.take_along_axis(rays, np.clip(index, 0, len(rays) - 1)[None], axis=0)[0]
    return taken


def _within_voxel(image: Float32, first: NDArray[np.intp], threshold: float) -> Float32:
    """How far before the centre of the first voxel the grey value passes the threshold, [0, 1] voxels."""
    here, before = _take(image, first), np.where(first > 0, _take(image, first - 1), np.float32(0))
    rise = np.maximum(here - before, np.float32(1e-6))
    share: Float32 = np.clip((here - np.float32(threshold)) / rise, 0, 1).astype(np.float32)
    return share


def _below(image: Float32, first: NDArray[np.intp]) -> Float32:
    layers = [_take(image, first + step) for step in range(SKIN_VOXELS)]
    mean: Float32 = np.mean(layers, axis=0)
    return mean


def _cover(brain: Bool, first: NDArray[np.intp], met: Bool) -> Float32:
    """Way from the surface to the brain along each ray, mm. Brain before the surface was removed: no cover at all."""
    found = brain.any(axis=0) & met
    way = (brain.argmax(axis=0) - first) * GRID_MM
    cover: Float32 = np.where(found, np.clip(way, 0, NO_BRAIN_MM), NO_BRAIN_MM).astype(np.float32)
    return cover


def _first_filled(filled: Bool, name: str) -> Float32:
    """Way to the first voxel of each ray that holds a measured value, mm."""
    first = filled.argmax(axis=0)
    way = (first + np.take_along_axis(_rounding(name), first, axis=0)) * GRID_MM
    depth: Float32 = np.where(filled.any(axis=0), way, np.nan).astype(np.float32)
    return depth


def _is_edge(inside: Bool, first: NDArray[np.intp]) -> Bool:
    """Whether the surface lies within two voxels of where the ray enters the field of view."""
    return np.asarray(first - inside.argmax(axis=0) < EDGE_VOXELS, np.bool_)
