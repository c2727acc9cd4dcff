"""Crops to learn from: around a bleed, around what looks like one, or anywhere in the brain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.learn.microbleeds.example import LEVELS, Example, channels

Float32 = NDArray[np.float32]
Shape = tuple[int, int, int]
Box = tuple[slice, ...]

CROP: Shape = (64, 64, 32)
"""48 mm on each side: room to see a vein go on; of the same voxels, crops of 72 mm would show a third of the bleeds."""

MARGIN = (10, 10, 5)
"""Voxels that what a crop is drawn around lies away from its border, at least."""

UNASKED_VOXELS = 2
"""Around the places of a calcification that are kept: they are some of it, and it blooms."""

BLANK = LEVELS // 3
"""Grey value outside of the grid: that of tissue, as where nothing is looked at."""

ONE_MORE = ndimage.generate_binary_structure(3, 3)
"""Voxels next to a bleed are not asked for: raters draw its border differently, and it looks different in each
modality."""

CONTRAST = (0.8, 1.25)
"""Times which a crop differs from tissue: other echo times and field strengths than those simulated."""

Aim = Literal["bleed", "mimic", "brain"]


@dataclass(frozen=True, eq=False)
class Crop:
    """Input and target of one crop.

    Attributes
    ----------
    input : float32 (2, x, y, z) in [0, 1].
    bleed : float32 (x, y, z), 1 in bleeds.
    weight : float32; 0 where nothing is asked, in bleeds such that a whole one sums to 1, else 1.
    """

    input: Float32
    bleed: Float32
    weight: Float32


def draw_crop(rng: np.random.Generator, example: Example, aim: Aim, shape: Shape = CROP) -> Crop:
    """Draw a crop of an example; where it has nothing to aim at, anywhere in the brain.

    Parameters
    ----------
    shape : voxels.
    """
    centre = _centre(rng, example, aim)
    start = []
    for place, size, margin in zip(centre, shape, MARGIN, strict=True):
        rim = min(margin, (size - 1) // 2)
        start.append(place - int(rng.integers(rim, size - rim)))
    crop = cut(example, (start[0], start[1], start[2]), shape)
    return vary(rng, crop)


def _centre(rng: np.random.Generator, example: Example, aim: Aim) -> tuple[int, ...]:
    if aim == "bleed" and example.lesions:
        centre = example.centres()[rng.integers(len(example.lesions))]
        return tuple(round(float(c)) for c in centre)
    voxels, kinds = example.mimics()
    if aim == "mimic" and len(kinds):
        place = rng.choice(voxels[kinds == rng.choice(np.unique(kinds))])
        return tuple(int(i) for i in np.unravel_index(place, example.shape))
    for _ in range(TRIES):
        place = rng.integers(0, example.shape)
        if example.seen[tuple(place)]:
            break
    return tuple(int(i) for i in place)


TRIES = 50
"""Places drawn until one lies in the brain, which fills a third of its box and more."""


def cut(example: Example, start: Shape, shape: Shape) -> Crop:
    """The crop that begins at a voxel; it may reach beyond the grid."""
    inner = tuple(slice(max(0, a), min(n, a + size)) for a, n, size in zip(start, example.shape, shape, strict=True))
    around = tuple((s.start - a, a + size - s.stop) for s, a, size in zip(inner, start, shape, strict=True))
    seen_as = channels(np.pad(example.image[inner], around, constant_values=BLANK), np.pad(example.frst[inner], around))
    pieces = np.pad(example.pieces()[inner], around)
    seen = np.pad(example.seen[inner], around)
    sizes = np.maximum(np.bincount(example.bleed_numbers, minlength=256), 1)
    bleed = pieces > 0
    asked = seen & ~_unasked(example, inner, around)
    weight = np.where(bleed, (1 / sizes)[pieces], asked).astype(np.float32)
    if bleed.any():
        weight[ndimage.binary_dilation(bleed, ONE_MORE) & ~bleed] = 0
    return Crop(seen_as, bleed.astype(np.float32), weight)


def _unasked(example: Example, inner: Box, around: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """Within a crop, what `Example.unasked` names and what is near it."""
    listed = example.unasked()
    where = np.zeros([s.stop - s.start for s in inner], np.bool_)
    if len(listed):
        at = np.stack(np.unravel_index(listed, example.shape)) - np.reshape([s.start for s in inner], (3, 1))
        within = ((at >= 0) & (at < np.reshape(where.shape, (3, 1)))).all(axis=0)
        where[tuple(at[:, within])] = True
    where = np.pad(where, around)
    return ndimage.binary_dilation(where, ONE_MORE, UNASKED_VOXELS) if where.any() else where


def vary(rng: np.random.Generator, crop: Crop) -> Crop:
    """Mirrored along any axis, in-plane axes swapped, contrast changed; sizes in plane must be equal for the swap."""
    mirrored = tuple(slice(None, None, -1) if rng.random() < 0.5 else slice(None) for _ in range(3))
    swap = crop.bleed.shape[0] == crop.bleed.shape[1] and rng.random() < 0.5
    order = (1, 0, 2) if swap else (0, 1, 2)
    factor = np.float32(np.exp(rng.uniform(*np.log(CONTRAST))))
    seen = crop.input[:, *mirrored].transpose(0, *(1 + axis for axis in order)).copy()
    change_contrast(seen[0], seen[1], factor)
    bleed, weight = (np.ascontiguousarray(part[mirrored].transpose(order)) for part in (crop.bleed, crop.weight))
    return Crop(seen, bleed, weight)


def change_contrast(grey: Float32, symmetry: Float32, factor: Float32 | np.float32) -> None:
    """Grey value and radial symmetry differ from tissue by a factor more, in place; `factor` of a shape that fits."""
    tissue = np.float32(BLANK / LEVELS)
    grey[...] = np.clip(tissue + (grey - tissue) * factor, 0, 1)
    symmetry[...] = np.clip(symmetry * factor, 0, 1)
