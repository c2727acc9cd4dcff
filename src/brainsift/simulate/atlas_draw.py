"""Draw a head from the atlas: each voxel follows the atlas's probability, neighbours agree, the cortex folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from brainsift.simulate.atlas import CEREBELLUM, CEREBRUM, RIGHT_OF_LEFT, Atlas
from brainsift.simulate.head import MAX_BRAIN_LABEL
from brainsift.simulate.labelmap import LabelMap, make_label_map
from brainsift.simulate.separable import along, linear_interpolation, spline_field

Float32 = NDArray[np.float32]

UNLIKELY = 1e-4
"""Probability below which a label is out of the question."""

PATCH_MM = 18.0
"""Extent of the patches in which one label wins over another where the atlas leaves it open."""

CONVICTION = 0.6
"""Strength of that competition: at 1 labels come exactly as often as the atlas says, below it edges are calmer."""

BRAIN_CONVICTION = 0.3
"""The same between structures of the brain: at 0.6 one hippocampus of five heads lost two thirds of its volume."""

LIMIT_SD = 1.5
"""No drawn head differs more from the average; the sizes of adults are kept."""

GYRUS_MM = 13.0
"""From one gyrus to the next."""

FOLIUM_MM = 7.0
"""From one folium of the cerebellum to the next; real ones are finer than a voxel."""

FOLD_BANDWIDTH = 0.22
"""Spread of the folds' spatial frequencies relative to the middle one: folds of like width, winding at random."""


@dataclass(frozen=True)
class HeadShape:
    """One drawn head.

    Attributes
    ----------
    modes : weight of each mode of shape, in standard deviations.
    stretch : (3,), size along x, y and z relative to the average head.
    seed : of the competition between labels, and of the folds.
    """

    modes: tuple[float, ...]
    stretch: tuple[float, float, float]
    seed: int


def draw_shape(atlas: Atlas, rng: np.random.Generator) -> HeadShape:
    """Draw what makes one head different from another; nothing beyond `LIMIT_SD` standard deviations."""
    modes = np.clip(rng.standard_normal(len(atlas.modes_mm)), -LIMIT_SD, LIMIT_SD)
    size, *stretch = np.clip(rng.standard_normal(4), -LIMIT_SD, LIMIT_SD) * [atlas.size_sd, *atlas.stretch_sd]
    x, y, z = np.exp(size + np.asarray(stretch)).tolist()
    return HeadShape(tuple(modes.tolist()), (x, y, z), int(rng.integers(2**31)))


def draw_label_map(atlas: Atlas, rng: np.random.Generator, spacing_mm: float = 1.0) -> LabelMap:
    """Draw the label map of a head that nobody has, with FreeSurfer's values."""
    return make_head(atlas, draw_shape(atlas, rng), spacing_mm)


def make_head(atlas: Atlas, shape: HeadShape, spacing_mm: float = 1.0) -> LabelMap:
    """Make the label map that `shape` describes, isotropic voxels of `spacing_mm`."""
    rng = np.random.default_rng(shape.seed)
    fine = _FineGrid(atlas, spacing_mm)
    labels = _compete(atlas, fine, rng)
    _fold(atlas, fine, rng, labels, CEREBRUM, GYRUS_MM, atlas.fold_roots)
    _fold(atlas, fine, rng, labels, CEREBELLUM, FOLIUM_MM, None)
    _name_right_side(labels)
    return make_label_map(_reshape(atlas, fine, shape, labels), spacing_mm)


class _FineGrid:
    """The grid of the drawn head over that of the atlas: interpolates boxes of the atlas by one matrix per axis."""

    def __init__(self, atlas: Atlas, spacing_mm: float) -> None:
        self.step = spacing_mm / atlas.spacing_mm
        x, y, z = (int((n - 1) / self.step) + 1 for n in atlas.shape)
        self.shape = (x, y, z)
        # Centred, so that the midline lies between two fine voxels or on one, alike for both sides.
        self.first = [((n - 1) - (m - 1) * self.step) / 2 for n, m in zip(atlas.shape, self.shape, strict=True)]

    def box(self, coarse: tuple[slice, ...]) -> tuple[slice, ...]:
        """Fine voxels whose centres lie inside a box of atlas voxels."""
        limits = []
        for first, n, part in zip(self.first, self.shape, coarse, strict=True):
            low = max(0, int(np.ceil((part.start - first) / self.step - 1e-9)))
            high = min(n, int(np.floor((part.stop - 1 - first) / self.step + 1e-9)) + 1)
            limits.append(slice(low, high))
        return tuple(limits)

    def interpolate(self, values: Float32, coarse: tuple[slice, ...]) -> Float32:
        """Values of a box of the atlas, linearly at the fine voxels of that box."""
        for axis, (part, fine) in enumerate(zip(coarse, self.box(coarse), strict=True)):
            at = np.arange(fine.start, fine.stop) * self.step + self.first[axis] - part.start
            values = along(linear_interpolation(at, values.shape[axis]), np.ascontiguousarray(values), axis)
        return values


def _units(atlas: Atlas) -> Iterator[tuple[int, ...]]:
    """Labels that compete as one: those of the cerebrum, those of the cerebellum, every other one alone."""
    yield CEREBRUM
    yield CEREBELLUM
    for value in atlas.values:
        if value not in (*CEREBRUM, *CEREBELLUM):
            yield (int(value),)


def _compete(atlas: Atlas, fine: _FineGrid, rng: np.random.Generator) -> NDArray[np.int16]:
    """The unit that wins each voxel (its first label): Gumbel-max with smooth noise.

    Each voxel's noise is Gumbel-distributed, so at full `CONVICTION` a label wins as often as its probability says
    (Gumbel 1954, Statistical theory of extreme values); that it is smooth makes neighbours agree.
    """
    best = np.full(fine.shape, np.log(np.float32(UNLIKELY)), np.float32)
    labels = np.zeros(fine.shape, np.int16)
    for unit in _units(atlas):
        probability = atlas.probability(*unit)
        coarse = _box_of(probability > UNLIKELY)
        if coarse is None:
            continue
        part = probability[coarse]
        noise = special.ndtr(spline_field(rng, part.shape, PATCH_MM / atlas.spacing_mm))
        gumbel = -np.log(-np.log(np.clip(noise, 1e-6, 1 - 1e-6)))
        conviction = BRAIN_CONVICTION if 0 < unit[0] < MAX_BRAIN_LABEL else CONVICTION
        likely = np.log(np.maximum(part, UNLIKELY)) + conviction * gumbel
        score: Float32 = np.where(part > UNLIKELY, likely, np.log(UNLIKELY)).astype(np.float32)
        here = fine.box(coarse)
        height = fine.interpolate(score, coarse)
        wins = height > best[here]
        best[here][wins] = height[wins]
        labels[here][wins] = unit[0]
    return labels


def _fold(
    atlas: Atlas,
    fine: _FineGrid,
    rng: np.random.Generator,
    labels: NDArray[np.int16],
    layers: tuple[int, ...],
    width_mm: float,
    roots: Float32 | None,
) -> None:
    """Lay the tissues of `layers`, from outside inwards, where ``layers[0]`` has won: one field, a level per border.

    The levels give each tissue the atlas's probability, and cortex always lies between white matter and CSF.
    """
    total = atlas.probability(*layers)
    coarse = _box_of(total > UNLIKELY)
    if coarse is None:
        return
    here = fine.box(coarse)
    won = labels[here] == layers[0]
    field = _fold_field(rng, atlas.shape, width_mm / atlas.spacing_mm)
    field = field[coarse] if roots is None else _at_roots(field, roots[(slice(None), *coarse)])
    below = np.zeros_like(field)
    for outer, inner in pairwise(layers):
        below += atlas.probability(outer)[coarse] / np.maximum(total[coarse], UNLIKELY)
        level = special.ndtri(np.clip(below, 1e-4, 1 - 1e-4)).astype(np.float32)
        labels[here][won & (fine.interpolate(field - level, coarse) > 0)] = inner


def _fold_field(rng: np.random.Generator, shape: tuple[int, ...], wavelength: float) -> Float32:
    """Random field of unit variance whose waves are about `wavelength` voxels long, (X, Y, Z)."""
    from scipy import fft

    padded = [fft.next_fast_len(n, real=True) for n in shape]
    wave = fft.rfftn(rng.standard_normal(padded, dtype=np.float32))
    frequency = np.sqrt(
        sum(
            np.square(f.reshape([-1 if i == axis else 1 for i in range(3)]))
            for axis, f in enumerate((fft.fftfreq(padded[0]), fft.fftfreq(padded[1]), fft.rfftfreq(padded[2])))
        )
    )
    wave *= np.exp(-0.5 * np.square((frequency * wavelength - 1) / FOLD_BANDWIDTH)).astype(np.float32)
    field = fft.irfftn(wave, padded)[tuple(slice(n) for n in shape)]
    unit: Float32 = (field / field.std()).astype(np.float32)
    return unit


def _at_roots(field: Float32, roots: Float32) -> Float32:
    """The field where each voxel's fold begins."""
    values: Float32 = ndimage.map_coordinates(field, roots, order=1, mode="nearest")
    values /= values.std()
    return values


def _name_right_side(labels: NDArray[np.int16]) -> None:
    """Give the half beyond the midline the right-sided labels."""
    table = np.arange(int(labels.max()) + 1, dtype=np.int16)
    for left, right in RIGHT_OF_LEFT.items():
        if left < table.size:
            table[left] = right
    middle = labels.shape[0] // 2
    labels[middle:] = table[labels[middle:]]


def _box_of(mask: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """Box around a mask with a margin of one voxel, None where it is empty."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found:
        return None
    return tuple(slice(max(0, s.start - 1), min(n, s.stop + 1)) for s, n in zip(found[0], mask.shape, strict=True))


def _reshape(atlas: Atlas, fine: _FineGrid, shape: HeadShape, labels: NDArray[np.int16]) -> NDArray[np.int16]:
    """Stretch the head and displace it by its modes, nearest neighbour."""
    modes: Float32 = np.tensordot(np.asarray(shape.modes, np.float32), atlas.modes_mm, axes=1)
    modes /= np.float32(atlas.spacing_mm * fine.step)
    source = [_source_voxels(n, s) for n, s in zip(labels.shape, shape.stretch, strict=True)]
    ups = []
    for at, first, n in zip(source, fine.first, modes.shape[1:], strict=True):
        at_mm = (at * fine.step + first) * atlas.spacing_mm
        ups.append(linear_interpolation((at_mm - atlas.mode_offset_mm) / atlas.mode_spacing_mm, n))
    size = tuple(at.size for at in source)
    index, inside = np.zeros(size, np.int32), np.ones(size, bool)
    for axis, n in enumerate(labels.shape):
        moved = modes[axis]
        for i, up in enumerate(ups):
            moved = along(up, np.ascontiguousarray(moved), i)
        moved += (source[axis] + 0.5).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
        voxel = moved.astype(np.int32)
        inside &= (moved >= 0) & (voxel < n)
        index *= n
        index += voxel
    index[~inside] = 0
    return np.where(inside, labels.ravel()[index], np.int16(0))


def _source_voxels(n: int, stretch: float) -> NDArray[np.float64]:
    """Where the voxels of the stretched axis come from on the axis of `n` voxels."""
    m = int(np.ceil(n * stretch))
    source: NDArray[np.float64] = (np.arange(m, dtype=np.float64) - (m - 1) / 2) / stretch + (n - 1) / 2
    return source
