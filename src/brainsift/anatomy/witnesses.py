"""What the edge network reads: all that is known of a scan before it, on the 4 mm grid of the box around the brain.

Three witnesses have spoken by then: the first network, the average head as it was bent, and the mixture model. None is
told in grey values, so the edge network need not learn what contrasts there are; the image itself stands beside them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.cleaning import bounding_box
from brainsift.anatomy.grids import Box, double, fine, pool
from brainsift.anatomy.labels import N_TISSUES, Tissue
from brainsift.anatomy.laid import INTRACRANIAL_LEVEL, Laid
from brainsift.anatomy.structures import to_tissues

Float32 = NDArray[np.float32]

LEAST = np.float32(1e-3)
"""Probabilities below this count as this: a witness may be sure and wrong."""

SURELY_INSIDE = 0.3
NETWORK_SAYS_INSIDE = 0.5

MARGIN = 1
"""4 mm voxels around what lies inside the skull."""

LEAST_OF_A_PLANE = 30
"""Voxels inside the skull, 5 cm2, that a plane of the box's sides must hold: the spinal canal is left to the mixture
model, which made the box a third smaller on whole heads."""

MULTIPLE_OF = 4
"""The box is so many 4 mm voxels, or a multiple, along each axis: the network halves its grid twice."""

BRIGHTEST = np.float32(1.5)
"""Evened brightness beyond this counts as this; 1 is where the percentiles put the brightest tissue."""

IMAGE_CHANNELS = 8
FINE_CHANNELS = 8 * (1 + N_TISSUES)
TOLD_CHANNELS = FINE_CHANNELS + 2 * N_TISSUES
CHANNELS = TOLD_CHANNELS + 8 * N_TISSUES
"""The image and the mixture's posterior, each 2 mm voxel of a 4 mm one in a channel of its own; the average head and
the first network; and how well the brightness of each 2 mm voxel fits each tissue."""

N_BINS = 128
BIN_SMOOTHING = 1.5
"""Bins, the standard deviation of what a tissue's histogram is smoothed with."""

EVERYDAY_VOXELS = 20.0
"""Strength of the pull of a tissue's histogram towards that of the whole box: holds small tissues."""

COUNTED = [0, 3, 5, 6]
"""Of the 8 voxels of a block that histograms are made of: each plane of a block has two of them."""


def box_around_brain(laid: Laid, posterior: Float32) -> Box | None:
    """The box of the 4 mm grid that the edge network is asked about; None where nothing lies inside the skull.

    Parameters
    ----------
    posterior : float32 (10, X, Y, Z) of the mixture model, 2 mm.
    """
    inside = pool(1 - posterior[Tissue.BACKGROUND] - posterior[Tissue.HEAD]) / 8
    network = 1 - laid.where[Tissue.BACKGROUND] - laid.where[Tissue.HEAD]
    mask = (inside > SURELY_INSIDE) | ((network > NETWORK_SAYS_INSIDE) & (inside > INTRACRANIAL_LEVEL))
    box = bounding_box(mask, MARGIN, LEAST_OF_A_PLANE)
    if not box[0].stop:
        return None
    x, y, z = (_widened(side, n) for side, n in zip(box, mask.shape, strict=True))
    return x, y, z


def _widened(side: slice, n: int) -> slice:
    """The side of a box as a multiple of `MULTIPLE_OF`, within a grid of n voxels."""
    length = side.stop - side.start
    size = min(-(-length // MULTIPLE_OF) * MULTIPLE_OF, n)
    start = min(max(side.start - (size - length) // 2, 0), n - size)
    return slice(start, start + size)


def hear(laid: Laid, image: Float32, posterior: Float32, box: Box) -> Float32:
    """The edge network's input, float32 (CHANNELS, x, y, z): brightness about 0, logarithms of probabilities from -1
    (`LEAST`) to 0 (certain), and `likelihoods`.

    Parameters
    ----------
    image : normalised head (X, Y, Z), 2 mm.
    posterior : of the mixture model, (10, X, Y, Z).
    box : of the 4 mm grid, from `box_around_brain`.
    """
    there = fine(box)
    field = _cut(laid.field[None], laid.box, box, outside=1.0)[0]
    average = _cut(laid.voxels.put(to_tissues(laid.prior())), laid.box, box, outside=0.0)
    result = np.empty((CHANNELS, *field.shape), np.float32)
    evened = np.clip(image[there] / double(field), 0, BRIGHTEST) - np.float32(0.5)
    fold(evened[None], result[:IMAGE_CHANNELS])
    fold(_told(posterior[:, *there]), result[IMAGE_CHANNELS:FINE_CHANNELS])
    result[FINE_CHANNELS : FINE_CHANNELS + N_TISSUES] = _told(average)
    result[FINE_CHANNELS + N_TISSUES : TOLD_CHANNELS] = _told(laid.where[:, *box])
    likelihoods(result[:FINE_CHANNELS], result[TOLD_CHANNELS:])
    return result


def likelihoods(heard: Float32, into: Float32) -> None:
    """How well each 2 mm voxel fits each tissue by brightness alone: logarithm of its share of the likeliest tissue's
    density, from -1 to 0 as in `hear`.

    The mixture's posterior says this only where the average head lies about right: where it excludes a tissue, so does
    the posterior, whatever the image shows.

    Parameters
    ----------
    heard : image and posterior as in `hear`, (FINE_CHANNELS, x, y, z).
    into : float32 (8 x 10, x, y, z), where the answer is written.
    """
    from scipy.ndimage import gaussian_filter1d

    scaled = (heard[:IMAGE_CHANNELS] + np.float32(0.5)) * np.float32((N_BINS - 1) / BRIGHTEST) + np.float32(0.5)
    bins = scaled.astype(np.uint8).reshape(8, -1)
    counted = bins[COUNTED].reshape(-1).astype(np.intp)
    unit = -np.log(LEAST)
    weights = heard[IMAGE_CHANNELS:].reshape(N_TISSUES, 8, -1)
    histograms = np.stack(
        [np.bincount(counted, np.exp(told[COUNTED] * unit).reshape(-1), minlength=N_BINS) for told in weights]
    )
    histograms = gaussian_filter1d(histograms, BIN_SMOOTHING, axis=1, mode="constant")
    everywhere = histograms.sum(axis=0) / histograms.sum()
    totals = histograms.sum(axis=1, keepdims=True)
    density = (histograms + EVERYDAY_VOXELS * everywhere) / (totals + EVERYDAY_VOXELS) + 1e-5
    told = _told((density / density.max(axis=0)).astype(np.float32))
    np.take(told, bins, axis=1, out=into.reshape(N_TISSUES, 8, -1), mode="clip")


def _told(probability: Float32) -> Float32:
    told: Float32 = np.log(np.maximum(probability, LEAST))
    told /= -np.log(LEAST)
    return told


def fold(fields: Float32, into: Float32) -> None:
    """Write each block of 2x2x2 voxels as 8 channels of one, (C, X, Y, Z) → (8 C, X/2, Y/2, Z/2)."""
    c, x, y, z = fields.shape
    blocks = fields.reshape(c, x // 2, 2, y // 2, 2, z // 2, 2).transpose(0, 2, 4, 6, 1, 3, 5)
    into.reshape(blocks.shape)[:] = blocks


def _cut(fields: Float32, box: Box, wanted: Box, outside: float) -> Float32:
    """Fields (C, ...) on one box brought to another of the same grid, `outside` where they say nothing."""
    result = np.full((len(fields), *(s.stop - s.start for s in wanted)), outside, np.float32)
    here, there = [], []
    for have, want in zip(box, wanted, strict=True):
        first, last = max(have.start, want.start), min(have.stop, want.stop)
        here.append(slice(first - have.start, last - have.start))
        there.append(slice(first - want.start, last - want.start))
    result[:, *there] = fields[:, *here]
    return result
