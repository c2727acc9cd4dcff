"""What the quality network looks at: slices of the scan in three orientations, 1 mm, through the brain and the air
around the head, every second one of the brain alone. Training and inference cut them with the same code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.normalise import padding_value
from brainsift.scans.conform import axis_weights
from brainsift.scans.volume import Volume
from brainsift.tasks.quality.shown import Shown, shown_of

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

PER_AXIS = 8
"""Slices per orientation: 24 in all take the network 0.2 s on two cores, and motion of a few lines shows in every
slice."""

PIXEL_MM = 1.0
"""Ringing and noise live at the scale of a voxel and are gone at 2 mm."""

ROWS, COLUMNS = 224, 192
"""Pixels of a slice: a brain, and the air before, behind and beside it, where ghosts show."""

PLANES = ((1, 2), (2, 0), (1, 0))
"""Axes along rows and columns of the sagittal, the coronal and the axial slices."""

PLACES = tuple((i + 0.5) / PER_AXIS for i in range(PER_AXIS))
"""Where the slices lie, as a share of the brain's box."""

BRIGHTEST = 3.5
"""Values are clipped at this many times the bright end of the brain: fat and enhancing vessels stay apart."""

BRIGHT_PERCENTILE, DARK_PERCENTILE = 75.0, 0.1
"""Of the middle of the box, and of the whole scan. A higher one would rise with the noise and hide it."""

CORE = 0.8
"""Share of the box's half axes whose ellipsoid is taken for brain when grey values are scaled."""

FOREGROUND_LEVEL = 0.1
"""Of the 99th percentile: dimmer is air when a box is drawn around a scan without a brain."""

MAX_SAMPLES = 200_000
MIN_BRAIN_VOXELS = 1000
"""Voxels of 8 mm³; less is no brain to centre on."""


@dataclass(frozen=True, eq=False)
class Slices:
    """Slices of one scan.

    Attributes
    ----------
    pixels : float32 (24, 224, 192) in [0, 1]: eight sagittal, eight coronal, eight axial slices; 0 outside the field of
        view; where a brain was found, in scalp, face and neck too, and in every second slice in the air (`Shown`).
        Square root of the scaled grey value, so that faint ghosts and the noise of the air get grey levels too.
    axes : (24,), the scan axis across each slice.
    indices : (24,), the scan's own slice that lies nearest.
    """

    pixels: Float32
    axes: NDArray[np.int64]
    indices: NDArray[np.int64]


def slices_of(volume: Volume, anatomy: Anatomy | None) -> Slices:
    """The slices of a scan around its brain; around all that is bright where no brain was found."""
    box = None if anatomy is None else brain_box(volume, anatomy)
    if anatomy is None or box is None:
        return cut_slices(volume.data, volume.spacing, foreground_box(volume.data))
    return cut_slices(volume.data, volume.spacing, box, shown=shown_of(volume, anatomy))


def brain_box(volume: Volume, anatomy: Anatomy) -> Float64 | None:
    """First and last voxel (2, 3) of the scan that the brain reaches along each axis; None without a brain."""
    found = np.argwhere(anatomy.brain)
    if not anatomy.has_brain or len(found) < MIN_BRAIN_VOXELS:
        return None
    to_scan = np.linalg.inv(volume.affine) @ anatomy.affine
    voxels = found @ to_scan[:3, :3].T + to_scan[:3, 3]
    return _inside(np.stack([voxels.min(axis=0), voxels.max(axis=0)]), volume.shape)


def foreground_box(data: Float32) -> Float64:
    """First and last voxel (2, 3) along each axis with as much signal as a twentieth of the brightest row has."""
    steps = [max(1, n // 128) for n in data.shape]
    bright_voxels = foreground(data[:: steps[0], :: steps[1], :: steps[2]])
    box = np.array([[0.0, 0.0, 0.0], [n - 1.0 for n in data.shape]])
    for axis in range(3):
        profile = bright_voxels.mean(axis=tuple(a for a in range(3) if a != axis))
        hit = np.flatnonzero(profile > 0.05 * profile.max())
        if hit.size:
            box[:, axis] = hit[0] * steps[axis], hit[-1] * steps[axis]
    return _inside(box, data.shape)


def foreground(data: Float32) -> NDArray[np.bool_]:
    """What is bright, (X, Y, Z)."""
    dark, bright = np.percentile(data, [1, 99])
    found: NDArray[np.bool_] = data > dark + FOREGROUND_LEVEL * (bright - dark)
    return found


def _inside(box: Float64, shape: Sequence[int]) -> Float64:
    return np.clip(box, 0, np.asarray(shape) - 1.0)


def cut_slices(
    data: Float32,
    spacing: Sequence[float] | Float64,
    box: Float64,
    places: Sequence[float] = PLACES,
    shown: Shown | None = None,
) -> Slices:
    """Cut, resample and scale the slices.

    Parameters
    ----------
    data : (X, Y, Z), RAS+, any unit.
    spacing : mm, (3,).
    box : first and last voxel (2, 3) along each axis of what is to be seen; slices are centred on it.
    places : where the slices lie across the box, shares of it.
    shown : what of the head; None for all, where no brain was found.
    """
    size = np.asarray(spacing, np.float64)
    dark, bright, padding = grey_range(data, box)
    middle = np.rint(box.mean(axis=0))
    pixels, axes, indices = [], [], []
    for axis, (along_rows, along_columns) in enumerate(PLANES):
        rows, seen_rows = _resampling(data.shape[along_rows], size[along_rows], middle[along_rows], ROWS)
        columns, seen_columns = _resampling(
            data.shape[along_columns], size[along_columns], middle[along_columns], COLUMNS
        )
        whole = np.outer(seen_rows, seen_columns)
        voxels: dict[int, Float64 | float] = {
            along_rows: _voxels(middle[along_rows], size[along_rows], ROWS)[:, None],
            along_columns: _voxels(middle[along_columns], size[along_columns], COLUMNS)[None, :],
        }
        for number, place in enumerate(places):
            at = box[0, axis] + place * (box[1, axis] - box[0, axis])
            index = int(np.clip(np.rint(at), 0, data.shape[axis] - 1))
            slab = _slab(data, axis, index, size[axis], padding, dark)
            plane = rows @ (slab if along_rows < along_columns else slab.T) @ columns.T
            seen = whole
            if shown is not None:
                voxels[axis] = float(index)
                seen = whole & shown.at([voxels[a] for a in range(3)], air=number % 2 == 0)
            pixels.append(np.where(seen, _compand(plane.astype(np.float32, copy=False), dark, bright), np.float32(0)))
            axes.append(axis)
            indices.append(index)
    return Slices(np.stack(pixels), np.array(axes), np.array(indices))


def _resampling(n: int, spacing: float, middle: float, count: int) -> tuple[Float32, NDArray[np.bool_]]:
    """Matrix (count, n) that brings an axis to pixels of 1 mm about voxel `middle`, and which pixels see anything.

    Pixels and voxels share a centre, so that a scan of 1 mm is copied and its noise not smoothed.
    """
    start = (middle + 0.5) * spacing - (count // 2 + 0.5) * PIXEL_MM
    weights = axis_weights(n, spacing, count, PIXEL_MM, start)
    return weights, np.asarray(weights.any(axis=1))


def _voxels(middle: float, spacing: float, count: int) -> Float64:
    """Where the pixels of `_resampling` lie, in voxels."""
    return np.float64(middle) + (np.arange(count) - count // 2) * np.float64(PIXEL_MM / spacing)


def _slab(data: Float32, axis: int, index: int, spacing: float, padding: float | None, dark: float) -> Float32:
    """The scan's own slice, or the mean of as many thin ones as come nearest to 1 mm; padding made dark."""
    count = max(1, round(PIXEL_MM / spacing))
    first = int(np.clip(index - count // 2, 0, data.shape[axis] - 1))
    slab = np.moveaxis(data, axis, 0)[first : first + count]
    if padding is not None and padding != dark:
        slab = np.where(slab == np.float32(padding), np.float32(dark), slab)
    return np.ascontiguousarray(slab[0] if len(slab) == 1 else slab.mean(axis=0))


def _compand(plane: Float32, dark: float, bright: float) -> Float32:
    if not bright > dark:
        return np.zeros_like(plane)
    scaled = (plane - np.float32(dark)) / np.float32(BRIGHTEST * (bright - dark))
    # Values near the end of float32 overflow on the way and leave no number.
    root: Float32 = np.sqrt(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 1))
    return root


def grey_range(data: Float32, box: Float64) -> tuple[float, float, float | None]:
    """Dark and bright end of the scan in its own unit, and its padding value, if it has one.

    The bright end is that of the middle of the box, which is brain in a brain scan: fat, vessels and the size of the
    field of view do not move it.
    """
    flat = data.ravel(order="K")
    sample = flat[:: max(1, flat.size // MAX_SAMPLES) | 1]
    padding = padding_value(sample)
    tissue = sample if padding is None else sample[sample != padding]
    if tissue.size == 0:
        return 0.0, 0.0, padding
    low = float(np.percentile(tissue, DARK_PERCENTILE))
    dark = 0.0 if padding == 0 and low >= 0 else low
    core = _core(data, box)
    if padding is not None:
        core = core[core != np.float32(padding)]
    if core.size < 100:
        core = tissue
    return dark, float(np.percentile(core, BRIGHT_PERCENTILE)), padding


def _core(data: Float32, box: Float64) -> Float32:
    """Grey values in the ellipsoid in the middle of the box, regularly sampled."""
    low, high = np.floor(box[0]).astype(int), np.ceil(box[1]).astype(int) + 1
    step = max(1, round(float(np.prod(high - low) / MAX_SAMPLES) ** (1 / 3)))
    part = data[low[0] : high[0] : step, low[1] : high[1] : step, low[2] : high[2] : step]
    axes = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in part.shape]
    radius = axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None] ** 2
    inside: Float32 = part[radius <= CORE**2]
    return inside
