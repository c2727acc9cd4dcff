"""Evidence of a planar cut: how much of what is seen lies in one plane."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from brainsift.tasks.defacing.frame import GRID_MM
from brainsift.tasks.defacing.renders import ROWS, View

Float32 = NDArray[np.float32]

LOOKED_AT = ("front", "left_45", "right_45")
"""A cut for a face is seen from here."""

SPAN = 3
"""Pixels to either side over which a slope is taken: 12 mm in all, so that half a voxel of rounding is a slope below
0.1."""

SLOPE_BIN, MAX_SLOPE = 0.2, 3.0
"""Of the histogram of slopes; steeper than 70 degrees is seen better from another side."""

OFFSET_BIN_MM = 2.0

FIRST_ROW = int(0.35 * ROWS)
"""Above it lies the forehead, whose middle is nearly flat in everybody."""

PIXEL_CM2 = GRID_MM**2 / 100


def flattest(views: Mapping[str, View]) -> dict[str, float | None]:
    """Largest plane that any of the views shows where measured voxels begin: its share of the pixels, and its area in
    cm2 as seen. Ends of the field of view, which are planes too, do not count."""
    found = [plane_pixels(views[name]) for name in LOOKED_AT if name in views]
    best = max(found, key=lambda pair: pair[0], default=(0, 0))
    share = max((flat / seen for flat, seen in found if seen), default=None)
    return {"flat_share": share, "flat_cm2": best[0] * PIXEL_CM2}


def plane_pixels(view: View) -> tuple[int, int]:
    """Pixels in the largest plane of the lower part of a view, and pixels there that were looked at.

    The most common slope is found first, then among pixels of that slope the most common offset.
    """
    surface = np.where(view.edge, np.float32(np.nan), view.depth_mm)
    depth = np.where(view.at_edge, surface, view.filled_mm)[FIRST_ROW:]
    down, across = _slope(depth, 0), _slope(depth, 1)
    known = np.isfinite(depth) & np.isfinite(down) & np.isfinite(across)
    gentle = known & (np.abs(down) < MAX_SLOPE) & (np.abs(across) < MAX_SLOPE)
    if not gentle.any():
        return 0, int(known.sum())
    middle_down, middle_across, near = _common_slope(down, across, gentle)
    rows, columns = np.indices(depth.shape)
    offset = depth - GRID_MM * (middle_down * rows + middle_across * columns)
    bins = np.floor(offset[near] / OFFSET_BIN_MM).astype(np.int64)
    counts = np.bincount(bins - bins.min())
    # A plane whose slope is off by a little drifts over a few bins.
    together = np.convolve(counts, np.ones(3, np.int64))
    return int(together.max()), int(known.sum())


def _slope(depth: Float32, axis: int) -> Float32:
    """Change of depth per mm along an axis; NaN at the border."""
    slope = np.full_like(depth, np.nan)
    ahead, behind = np.roll(depth, -SPAN, axis), np.roll(depth, SPAN, axis)
    inner = tuple(slice(SPAN, -SPAN) if a == axis else slice(None) for a in range(2))
    slope[inner] = (ahead - behind)[inner] / (2 * SPAN * GRID_MM)
    return slope


def _common_slope(down: Float32, across: Float32, among: NDArray[np.bool_]) -> tuple[float, float, NDArray[np.bool_]]:
    """The most common pair of slopes, as the mean of those near it, and which pixels are near."""
    edges = np.arange(-MAX_SLOPE, MAX_SLOPE + SLOPE_BIN, SLOPE_BIN)
    counts, _, _ = np.histogram2d(down[among], across[among], bins=(edges, edges))
    i, j = np.unravel_index(int(counts.argmax()), counts.shape)
    centre = edges[i] + SLOPE_BIN / 2, edges[j] + SLOPE_BIN / 2
    near = among & (np.abs(down - centre[0]) < SLOPE_BIN) & (np.abs(across - centre[1]) < SLOPE_BIN)
    return float(down[near].mean()), float(across[near].mean()), near
