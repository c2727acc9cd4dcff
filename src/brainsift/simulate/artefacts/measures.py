"""What is left of an image after an artefact: change, noise and contrast in the brain."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.noise import noise_sd

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

AIR = 0.2
"""Share of the bright tissue's intensity below which a voxel is taken for air where there is no mask."""


CONTRAST_BLOCK_MM = 20.0
"""Over which a coil's field hardly changes."""

LEAST_TISSUE_MM3 = 50.0
"""Of grey and of white matter in a block that counts."""


@dataclass(frozen=True, eq=False)
class Corrupted:
    """An image with how much of it an artefact changed.

    Attributes
    ----------
    image : float32 (X, Y, Z), 0 or more.
    change : root mean square of the change in the brain relative to that of the image there.
    """

    image: Float32
    change: float


def change_in(before: Float32, after: Float32, brain: Mask) -> float:
    """Root mean square of the change in `brain` relative to that of the image there."""
    was = before[brain].astype(np.float64)
    norm = float(np.sqrt(np.mean(was**2)))
    return float(np.sqrt(np.mean((after[brain] - was) ** 2))) / norm if norm else 0.0


def not_air(image: Float32) -> Mask:
    """Voxels above `AIR` of the bright tissue; all, where nothing is."""
    mask: Mask = image > AIR * float(np.percentile(image[::3, ::3, ::3], 98))
    return mask if mask.any() else np.ones(image.shape, bool)


def brain_snr(image: Float32, brain: Mask) -> float:
    """Mean intensity of the brain over the noise's standard deviation, both measured on the image."""
    return float(image[brain].mean()) / max(noise_sd(image, brain), 1e-6)


def relative_contrast(
    image: Float32, grey: Mask, white: Mask, spacing_mm: tuple[float, float, float] | None = None
) -> float:
    """Difference of the medians of grey and white matter over their mean, 0 or more.

    Parameters
    ----------
    spacing_mm : measures block by block of `CONTRAST_BLOCK_MM` and takes the median over the blocks, each weighing as
        much as it has of the rarer tissue: cortex lies outside, so that a coil's field over the whole head would pass
        for contrast, or hide it. Without it, or where no block holds enough of both, all is one block.

    Raises
    ------
    ValueError
        if one of the masks is empty.
    """
    if not grey.any() or not white.any():
        raise ValueError("contrast is measured between grey and white matter, but one of the masks is empty")
    found = [] if spacing_mm is None else _contrast_of_blocks(image, grey, white, spacing_mm)
    if not found:
        return abs(_signed_contrast(image, grey, white))
    signed, weights = np.array(sorted(found)).T
    half = int(np.searchsorted(np.cumsum(weights), weights.sum() / 2))
    return abs(float(signed[half]))


def _contrast_of_blocks(
    image: Float32, grey: Mask, white: Mask, spacing_mm: tuple[float, float, float]
) -> list[tuple[float, float]]:
    """Signed contrast and weight of each block that holds enough of both tissues."""
    steps = [max(1, round(CONTRAST_BLOCK_MM / mm)) for mm in spacing_mm]
    least = max(1.0, LEAST_TISSUE_MM3 / float(np.prod(spacing_mm)))
    found = []
    for corner in product(*(range(0, n, step) for n, step in zip(image.shape, steps, strict=True))):
        block = tuple(slice(at, at + step) for at, step in zip(corner, steps, strict=True))
        g, w = grey[block], white[block]
        weight = float(min(g.sum(), w.sum()))
        if weight >= least:
            found.append((_signed_contrast(image[block], g, w), weight))
    return found


def _signed_contrast(image: Float32, grey: Mask, white: Mask) -> float:
    """Above 0 where white matter is the brighter one."""
    g, w = float(np.median(image[grey])), float(np.median(image[white]))
    return (w - g) / max((w + g) / 2, 1e-6)


def grey_and_white_levels(image: Float32, brain: Mask) -> tuple[float, float]:
    """Intensities of the two largest of three classes of the brain, lower first: where there are no labels.

    One-dimensional k-means; on T1w these are grey and white matter, on T2w and FLAIR white and grey.
    """
    some = image[brain][:: max(1, int(brain.sum()) // 20000)].astype(np.float64)
    levels = np.quantile(some, [0.1, 0.45, 0.8])
    for _ in range(50):
        nearest = np.abs(some[:, None] - levels).argmin(axis=1)
        moved = np.array([some[nearest == i].mean() if (nearest == i).any() else levels[i] for i in range(3)])
        if np.allclose(moved, levels, rtol=1e-4):
            break
        levels = moved
    counts = np.bincount(nearest, minlength=3)
    low, high = sorted(levels[np.argsort(counts)[1:]])
    return float(low), float(high)
