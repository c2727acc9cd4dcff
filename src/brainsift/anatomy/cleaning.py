"""From probabilities to labels and a brain mask: largest component, holes filled, strays given back to the head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import BRAIN, INTRACRANIAL, N_TISSUES, Tissue

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

MIN_PIECE_SHARE = 0.1
"""A separate piece of brain with at least this share of the largest stays: a low slab holds cerebellum and temporal
poles apart."""


def clean_labels(posterior: Float32, seen: Mask) -> tuple[NDArray[np.uint8], Mask]:
    """Most probable class per voxel, brain and fluid outside the brain's own pieces relabelled.

    Parameters
    ----------
    posterior : float32 (10, X, Y, Z).
    seen : bool (X, Y, Z), inside the field of view; the rest becomes background.

    Returns
    -------
    labels, brain : uint8 and bool (X, Y, Z).
    """
    labels = most_probable(posterior)
    labels[~seen] = Tissue.BACKGROUND
    brain = main_pieces(is_any(labels, BRAIN), MIN_PIECE_SHARE)
    inside = is_any(labels, INTRACRANIAL)
    stray = inside & ~pieces_touching(inside & (brain | (labels == Tissue.CSF)), brain)
    head = posterior[Tissue.HEAD] >= posterior[Tissue.BACKGROUND]
    labels[stray] = np.where(head[stray], np.uint8(Tissue.HEAD), np.uint8(Tissue.BACKGROUND))
    return labels, fill_holes(brain)


def most_probable(posterior: Float32) -> NDArray[np.uint8]:
    """Number of the largest of (C, X, Y, Z) at each voxel, the first of equals: `argmax`, class after class, which a
    processor does three times as fast."""
    best, labels = posterior[0].copy(), np.zeros(posterior.shape[1:], np.uint8)
    for number, share in enumerate(posterior[1:], start=1):
        better = share > best
        np.copyto(best, share, where=better)
        labels[better] = number
    return labels


def is_any(labels: NDArray[np.uint8], tissues: tuple[Tissue, ...]) -> Mask:
    """Where `labels` is one of `tissues`."""
    table = np.zeros(N_TISSUES, dtype=np.bool_)
    table[[int(tissue) for tissue in tissues]] = True
    mask: Mask = table[labels]
    return mask


def bounding_box(mask: Mask, margin: int = 0, least: int = 1) -> tuple[slice, ...]:
    """Smallest box around the true voxels, widened by `margin` within the array; empty slices where there are none.

    Parameters
    ----------
    least : true voxels that a plane must hold to count.
    """
    box = []
    for axis in range(mask.ndim):
        counts = np.count_nonzero(mask, axis=tuple(a for a in range(mask.ndim) if a != axis))
        planes = np.flatnonzero(counts >= least)
        if not len(planes):
            return (slice(0, 0),) * mask.ndim
        box.append(slice(max(0, int(planes[0]) - margin), min(mask.shape[axis], int(planes[-1]) + 1 + margin)))
    return tuple(box)


def main_pieces(mask: Mask, min_share: float) -> Mask:
    """The largest face-connected piece and those with at least `min_share` of its size."""
    from scipy.ndimage import label

    result = np.zeros_like(mask)
    box = bounding_box(mask)
    pieces, n = label(mask[box])
    if n == 0:
        return result
    sizes = np.bincount(pieces.reshape(-1))
    sizes[0] = 0
    result[box] = (sizes >= min_share * sizes.max())[pieces] & mask[box]
    return result


def pieces_touching(mask: Mask, seed: Mask) -> Mask:
    """The face-connected pieces of `mask` that hold a voxel of `seed`."""
    from scipy.ndimage import label

    result = np.zeros_like(mask)
    box = bounding_box(mask)
    pieces, n = label(mask[box])
    keep = np.zeros(n + 1, dtype=np.bool_)
    keep[np.unique(pieces[seed[box]])] = True
    keep[0] = False
    result[box] = keep[pieces]
    return result


def fill_holes(mask: Mask) -> Mask:
    """Fill what the mask encloses completely."""
    from scipy.ndimage import label

    box = bounding_box(mask, margin=1)
    outside, n = label(np.pad(~mask[box], 1, constant_values=True))
    result = mask.copy()
    if n > 1:  # piece 1 holds the first corner: the outside
        result[box] = (outside != outside[0, 0, 0])[1:-1, 1:-1, 1:-1]
    return result
