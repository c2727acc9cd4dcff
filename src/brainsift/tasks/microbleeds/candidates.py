"""From the first network's probability map to places that may be bleeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainsift.tasks.microbleeds.grid import SPACING_MM

if TYPE_CHECKING:
    from brainsift.tasks.microbleeds.network import Prepared

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

APART_MM = 3.0
"""Peaks nearer to each other are one candidate: bleeds are 2 mm and larger, and bloom."""

SMOOTHING_MM = 0.6
"""Standard deviation before peaks are sought: a large bleed has one probability from edge to edge, and its middle is
where most of it is around."""

MAX_CANDIDATES = 255
"""Most probable ones: a brain with more has vessels among them, each costs time, and a mask numbers them in bytes."""


@dataclass(frozen=True)
class Candidate:
    """A place that may be a bleed.

    Attributes
    ----------
    voxel : of the networks' grid, (x, y, z), between voxels too.
    score : largest probability around it.
    """

    voxel: tuple[float, float, float]
    score: float


def candidates(
    probability: Float32, prepared: Prepared, threshold: float, most: int | None = MAX_CANDIDATES
) -> list[Candidate]:
    """Peaks of a probability map that reach a threshold, the most probable first.

    Parameters
    ----------
    probability : float32 (X, Y, Z), on the grid of `prepared`.
    threshold : least probability, above 0.
    most : number to keep; None for all.

    Raises
    ------
    ValueError
        if the threshold is not between 0 and 1.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter

    if not 0 < threshold < 1:
        raise ValueError(f"threshold must lie between 0 and 1, got {threshold}")
    found = probability * prepared.seen
    high = np.argwhere(found >= threshold)
    if not len(high):
        return []
    reach = [int(np.ceil(APART_MM / mm)) + 1 for mm in SPACING_MM]
    low = np.maximum(high.min(axis=0) - reach, 0)
    box = tuple(slice(a, b + r + 1) for a, b, r in zip(low, high.max(axis=0), reach, strict=True))
    part = found[box]
    smooth = gaussian_filter(part, [SMOOTHING_MM / mm for mm in SPACING_MM], mode="nearest", truncate=3)
    # A filter over the whole ball costs four times as much, and hardly a voxel is as high as its neighbours.
    peaks = np.argwhere((smooth >= maximum_filter(smooth, size=3)) & (smooth > 0))
    scores = greatest_around(part, peaks)
    peaks, scores = peaks[scores >= threshold], scores[scores >= threshold]
    highest = smooth[tuple(peaks.T)] >= greatest_around(smooth, peaks)
    peaks, scores = peaks[highest], scores[highest]
    order = np.argsort(-scores, kind="stable")
    kept: list[Candidate] = []
    taken = np.empty((0, 3))
    for number in order:
        if len(kept) == most:
            break
        at = _refined(smooth, peaks[number]) + low
        if len(taken) and (((taken - at) * SPACING_MM) ** 2).sum(axis=1).min() < APART_MM**2:
            continue
        taken = np.vstack([taken, at])
        kept.append(Candidate((float(at[0]), float(at[1]), float(at[2])), float(scores[number])))
    return kept


def greatest_around(values: Float32, at: NDArray[np.intp]) -> Float32:
    """Largest value within `APART_MM` of each voxel of `at` (N, 3)."""
    reach = np.array([int(APART_MM / mm) for mm in SPACING_MM])
    padded = np.pad(values, [(r, r) for r in reach.tolist()], constant_values=-np.inf)
    offsets = np.argwhere(np.ones(2 * reach + 1)) - reach
    ball = offsets[((offsets * SPACING_MM) ** 2).sum(axis=1) <= APART_MM**2]
    # Strides of the padded array in voxels, so that a neighbour is one addition away.
    strides = np.array(padded.strides) // padded.itemsize
    middle, flat = (at + reach) @ strides, padded.reshape(-1)
    greatest = np.full(len(at), -np.inf, np.float32)
    for step in (ball @ strides).tolist():
        np.maximum(greatest, flat[middle + step], out=greatest)
    return greatest


def _refined(smooth: Float32, peak: NDArray[np.intp]) -> Float64:
    """Centre of what lies around a peak, weighted: probability between voxels, and the middle of a plateau."""
    box = tuple(slice(max(0, p - r), p + r + 1) for p, r in zip(peak, (2, 2, 1), strict=True))
    weight = smooth[box].astype(np.float64)
    at = np.stack(
        np.meshgrid(*(np.arange(s.start, s.start + n) for s, n in zip(box, weight.shape, strict=True)), indexing="ij")
    )
    return np.asarray((at * weight).sum(axis=(1, 2, 3)) / weight.sum())
