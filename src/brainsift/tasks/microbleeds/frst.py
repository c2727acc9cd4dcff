"""Fast radial symmetry transform in millimetres: where round things of a given size are, on any grid.

Loy and Zelinsky 2003, IEEE Trans Pattern Anal Mach Intell 25:959. Every voxel on an edge votes for the place that lies
one radius along its gradient, where the centre of a bright ball would be. Here gradients, radii and votes are in
millimetres, so a ball is a ball on voxels of any shape, and what a ball collects is measured against its whole surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Polarity = Literal["bright", "dark"]

RADII_MM = (1.0, 1.5, 2.0, 2.5, 3.0, 3.75)
"""Half the width of what a bleed looks like: 2 to 4 mm of blood (p5 to p95 of real ones), half as much again where it
blooms, in steps of the width of the votes: in steps of a half a ball between two of them lost four fifths."""

STRICTNESS = 2.0
"""Power of the share of the surface that has voted (alpha of the paper): 2 suits most applications, by its authors."""

VOTER_SHARE = 0.2
"""Of the voxels asked, those with the steepest gradients vote: a bleed fills a millionth of a brain and lies among the
steepest; the rest is noise and costs time."""

SMOOTHING_MM = 0.5
"""Standard deviation by which votes are spread: they are rounded to voxels of this size or so. Along the coarsest axis
they are shared by two voxels instead, since a slice may be as thick as a bleed."""

MAX_SAMPLES = 200_000


def frst(
    image: Float32,
    spacing_mm: Sequence[float],
    radii_mm: Sequence[float] = RADII_MM,
    *,
    polarity: Polarity = "bright",
    where: Mask | None = None,
    voter_share: float = VOTER_SHARE,
) -> Float32:
    """Radial symmetry of each voxel, largest at the centres of balls (of discs, where an axis has one voxel).

    The answer is in units of the image per mm: an image times ten gives ten times as much, an offset changes nothing.

    Parameters
    ----------
    image : (X, Y, Z), any number type; computed in float32.
    spacing_mm : of the three axes.
    radii_mm : looked for; the answer is the mean over them.
    polarity : of the balls.
    where : voxels that may vote, bool (X, Y, Z); all by default.
    voter_share : of those, how many vote.

    Returns
    -------
    float32 (X, Y, Z), not negative.

    Raises
    ------
    ValueError
        if the image has no three dimensions, or a spacing or radius is not positive.
    """
    spacing = np.asarray(spacing_mm, np.float32)
    if image.ndim != 3 or spacing.shape != (3,):
        raise ValueError(f"image must have three dimensions and three spacings, got {image.shape} and {spacing_mm}")
    if not (spacing > 0).all() or not len(radii_mm) or min(radii_mm) <= 0:
        raise ValueError(f"spacing_mm and radii_mm must be positive, got {spacing_mm} and {radii_mm}")
    values = np.asarray(image, np.float32)
    at, towards, steepness = _voters(values, spacing, where, voter_share)
    if polarity == "dark":
        towards = -towards
    result = np.zeros(values.size, np.float32)
    for radius in radii_mm:
        _add_votes(
            result, values.shape, at, towards * np.float32(radius) / spacing[:, None], steepness, radius, spacing
        )
    result /= len(radii_mm)
    return _spread(result.reshape(values.shape), spacing)


def _voters(
    values: Float32, spacing: Float32, where: Mask | None, share: float
) -> tuple[NDArray[np.int32], Float32, Float32]:
    """Voxels (3, N) on edges, unit vectors (3, N) towards brighter ones in mm, and steepness (N,) per mm."""
    smooth = values
    for axis in range(3):
        smooth = _binomial(smooth, axis)
    gradient = [_difference(smooth, axis, float(spacing[axis])) for axis in range(3)]
    squared = gradient[0] ** 2 + gradient[1] ** 2 + gradient[2] ** 2
    if where is not None:
        squared[~where] = 0
    asked = squared if where is None else squared[where]
    sample = asked.reshape(-1)[:: max(1, asked.size // MAX_SAMPLES) | 1]
    least = float(np.quantile(sample, 1 - share)) if sample.size else 0.0
    chosen = np.flatnonzero(squared > least)
    steepness = np.sqrt(squared.reshape(-1)[chosen])
    towards = np.stack([one.reshape(-1)[chosen] for one in gradient]) / steepness
    at = np.stack(np.unravel_index(chosen, values.shape)).astype(np.int32)
    return at, towards, steepness


def _binomial(values: Float32, axis: int) -> Float32:
    """Average over three neighbours with weights 1:2:1, the border repeated: a gradient of single voxels is noise."""
    if values.shape[axis] == 1:
        return values
    source = np.moveaxis(values, axis, 0)
    result = np.empty_like(values)
    target = np.moveaxis(result, axis, 0)
    np.add(source[:-2], source[2:], out=target[1:-1])
    target[1:-1] += 2 * source[1:-1]
    target[1:-1] *= np.float32(0.25)
    target[0], target[-1] = (3 * source[0] + source[1]) / 4, (3 * source[-1] + source[-2]) / 4
    return result


def _difference(values: Float32, axis: int, spacing: float) -> Float32:
    """Central difference per mm; 0 at the border."""
    result = np.zeros_like(values)
    if values.shape[axis] > 2:
        source, target = np.moveaxis(values, axis, 0), np.moveaxis(result, axis, 0)
        np.subtract(source[2:], source[:-2], out=target[1:-1])
        target *= np.float32(0.5 / spacing)
    return result


def _add_votes(
    result: Float32,
    shape: tuple[int, ...],
    at: NDArray[np.int32],
    step: Float32,
    steepness: Float32,
    radius: float,
    spacing: Float32,
) -> None:
    """Add what each voxel collects for one radius: mean steepness of its surface times the share that voted, to a
    power."""
    flat, parts, voters = _places(shape, at, step, spacing)
    count = np.bincount(flat, parts, len(result))
    voted = np.flatnonzero(count)
    weight = np.bincount(flat, parts * np.tile(steepness[voters], 2), len(result))
    whole = surface_voxels(radius, shape, spacing)
    share = np.minimum(count[voted] / whole, 1.0)
    result[voted] += (weight[voted] / whole * share**STRICTNESS).astype(np.float32)


def _places(
    shape: tuple[int, ...], at: NDArray[np.int32], step: Float32, spacing: Float32
) -> tuple[NDArray[np.int32], Float32, NDArray[np.intp]]:
    """Where voxels vote: flat voxels (2 M,), the part of a vote that each of them gets, and which M of the N voxels
    vote at all; those that point out of the grid do not."""
    towards = at + step
    coarsest = _coarsest(shape, spacing)
    nearest = np.rint(towards).astype(np.int32)
    nearest[coarsest] = np.floor(towards[coarsest])
    inside = np.ones(nearest.shape[1], np.bool_)
    for axis, n in enumerate(shape):
        inside &= (nearest[axis] >= 0) & (nearest[axis] < n - (axis == coarsest))
    voters = np.flatnonzero(inside)
    x, y, z = nearest[:, voters]
    above = towards[coarsest, voters] - nearest[coarsest, voters]
    flat = (x * np.int32(shape[1]) + y) * np.int32(shape[2]) + z
    next_one = np.int32(np.prod(shape[coarsest + 1 :]))
    return np.concatenate([flat, flat + next_one]), np.concatenate([1 - above, above]), voters


def _coarsest(shape: tuple[int, ...], spacing: Float32) -> int:
    """Of the axes with more than one voxel."""
    return int(np.argmax([mm if n > 1 else 0 for mm, n in zip(spacing, shape, strict=True)]))


def surface_voxels(radius: float, shape: tuple[int, ...], spacing: Float32) -> float:
    """Voxels on the surface of a ball, or of a disc where an axis has a single voxel: its measure in units of a voxel's
    size."""
    along = [float(mm) for mm, n in zip(spacing, shape, strict=True) if n > 1]
    if not along:
        return 1.0
    size = float(np.prod(along)) ** (1 / len(along))
    measure = {1: 2.0, 2: 2 * np.pi * radius / size, 3: 4 * np.pi * (radius / size) ** 2}[len(along)]
    return max(1.0, float(measure))


def _spread(votes: Float32, spacing: Float32) -> Float32:
    from scipy.ndimage import gaussian_filter

    sigma = [SMOOTHING_MM / float(mm) if n > 1 else 0.0 for mm, n in zip(spacing, votes.shape, strict=True)]
    result: Float32 = gaussian_filter(votes, sigma, truncate=2.5)
    return result
