"""Where in a scan each image metric is taken: codes of the 2 mm grid, and native voxels that carry them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.normalise import padding_value, sample_voxels
from brainsift.scans.conform import labels_to_input
from brainsift.scans.volume import Volume

Bool = NDArray[np.bool_]
UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

BRAIN, HEAD, OUTSIDE, HAT, PADDING, WHITE, CORTEX, FLUID = (1 << bit for bit in range(8))
"""Bits of a place code. OUTSIDE is all air, HAT the air above the base of the skull; WHITE, CORTEX and FLUID are voxels
away from the borders of their class. 0 is the rim of the head, and all that lies beyond the working grid."""

RIM_VOXELS = 3
"""6 mm around the head are neither head nor air: hair, ears, blurred edges, and labels that miss the scalp a little."""

HAT_BASE_MM = -40.0
"""Height in MNI152 of the plane through nasion and cerebellar base. Below it, neck, shoulders and swallowing spoil the
air (Mortamet et al. 2009, Magn Reson Med 62:365)."""

CORTEX_NEIGHBOURS = 5
"""Of six: cortex is 2.5 mm thick and has hardly an inside at 2 mm; with five of its kind a voxel is mostly grey."""

MIN_FLUID_VOXELS = 60
"""0.5 mL: slit ventricles have less inside, then fluid around the brain is taken too."""

MAX_SAMPLES = 1_500_000
"""Native voxels looked at. White matter keeps 10,000 to 46,000 of them (eight real scans). Against all voxels, metrics
of white and grey matter and of the whole scan differ by 0.6 % in the median and by 2.5 % at the most; those of fluid
(900 to 3,100 voxels) by up to 11 %, and kurtosis, which hangs on single voxels, by more."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Every n-th voxel of a scan along each axis, values untouched, with place codes.

    Attributes
    ----------
    values : float32 (N,), the scan's own units.
    codes : uint8 (N,), place codes.
    grid : the thinned scan, whose voxels in C order are `values`.
    share : [0, 1], part of all voxels that is in the sample.
    """

    values: Float32
    codes: UInt8
    grid: Volume
    share: float

    def at(self, place: int) -> Float32:
        """Values of one place, (n,)."""
        found: Float32 = self.values[(self.codes & place) != 0]
        return found

    def points(self, place: int) -> Float64:
        """Scan mm of the voxels of one place, (n, 3)."""
        index = np.flatnonzero(self.codes & place)
        voxels = np.stack(np.unravel_index(index, self.grid.shape), axis=1)
        mm: Float64 = voxels @ self.grid.affine[:3, :3].T + self.grid.affine[:3, 3]
        return mm


def place_codes(anatomy: Anatomy) -> UInt8:
    """Place code of every voxel of the working grid, uint8 (X, Y, Z)."""
    labels = anatomy.labels
    head = labels != Tissue.BACKGROUND
    air = ~widen(head, RIM_VOXELS)
    padding = air & is_padding(anatomy.image)
    air &= ~padding
    codes = np.zeros(labels.shape, dtype=np.uint8)
    white, cortex, fluid = _cores(labels)
    for bit, mask in (
        (BRAIN, anatomy.brain),
        (HEAD, head),
        (OUTSIDE, air),
        (HAT, air & above_base(anatomy)),
        (PADDING, padding),
        (WHITE, white),
        (CORTEX, cortex),
        (FLUID, fluid),
    ):
        codes |= mask.view(np.uint8) * np.uint8(bit)
    return codes


def _cores(labels: UInt8) -> tuple[Bool, Bool, Bool]:
    """White matter, cortex and fluid without the voxels at their borders."""
    white = labels == Tissue.WHITE
    cortex = labels == Tissue.CORTEX
    grey = cortex | (labels == Tissue.DEEP_GREY) | (labels == Tissue.HIPPOCAMPUS_AMYGDALA)
    ventricles = labels == Tissue.VENTRICLES
    fluid = ventricles & (neighbours(ventricles) == 6)
    if fluid.sum() < MIN_FLUID_VOXELS:
        around = ventricles | (labels == Tissue.CSF)
        fluid = around & (neighbours(around) == 6)
    return white & (neighbours(white) == 6), cortex & (neighbours(grey) >= CORTEX_NEIGHBOURS), fluid


def neighbours(mask: Bool) -> UInt8:
    """How many of the six neighbours of each voxel are in `mask`; beyond the grid is none."""
    count = np.zeros(mask.shape, dtype=np.uint8)
    ones = mask.view(np.uint8)
    for axis in range(3):
        near, far = _ends(axis, 1)
        count[near] += ones[far]
        count[far] += ones[near]
    return count


def widen(mask: Bool, voxels: int) -> Bool:
    """Grow `mask` by a cube of this many voxels to each side."""
    result = mask
    for axis in range(3):
        grown = result.copy()
        for step in range(1, min(voxels, mask.shape[axis] - 1) + 1):
            near, far = _ends(axis, step)
            grown[near] |= result[far]
            grown[far] |= result[near]
        result = grown
    return result


def _ends(axis: int, step: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """All but the last and all but the first `step` planes of an axis."""
    near, far = [slice(None)] * 3, [slice(None)] * 3
    near[axis], far[axis] = slice(None, -step), slice(step, None)
    return tuple(near), tuple(far)


def is_padding(image: Float32) -> Bool:
    """Voxels that no scanner measured: exactly 0, or the value that a good part of the image holds, (X, Y, Z).

    On the working grid a voxel averages its native ones, so that noise that is stored as whole numbers hardly ever
    comes to exactly 0 there; a masked or zero-filled part does.
    """
    padded: Bool = image == 0
    value = padding_value(sample_voxels(image))
    return padded if not value else padded | (image == np.float32(value))


def above_base(anatomy: Anatomy) -> Bool:
    """Voxels above the base of the skull, bool (X, Y, Z) or broadcastable; all of them where MNI152 is unknown."""
    if anatomy.to_mni is None:
        return np.ones((1, 1, 1), dtype=np.bool_)
    x, y, z, height = (anatomy.to_mni @ anatomy.affine)[2]
    i, j, k = (np.arange(n, dtype=np.float32) for n in anatomy.labels.shape)
    above: Bool = (x * i)[:, None, None] + (y * j)[:, None] + z * k > HAT_BASE_MM - height
    return above


def draw_samples(volume: Volume, anatomy: Anatomy, codes: UInt8, limit: int = MAX_SAMPLES) -> Samples:
    """Native voxels on a regular lattice of about the same distance along the three axes.

    Parameters
    ----------
    codes : place codes on the working grid of `anatomy`.
    limit : how many voxels at most.
    """
    steps = lattice(volume.shape, volume.spacing, limit)
    box: Box = tuple((min(step // 2, n - 1), n) for step, n in zip(steps, volume.shape, strict=True))  # type: ignore[assignment]
    grid = thinned(volume, box, steps)
    on_grid = labels_to_input(codes, anatomy.affine, grid)
    values = np.ascontiguousarray(grid.data).reshape(-1)
    return Samples(values, on_grid.reshape(-1), grid, values.size / volume.data.size)


def lattice(shape: tuple[int, ...], spacing: Float64, limit: int) -> tuple[int, int, int]:
    """Steps along three axes that leave at most `limit` voxels: the axis with the shortest step is lengthened first.

    Steps are odd. Every second voxel would always be the interpolated one in a scan that was doubled, and one half of
    the slices in an interleaved stack.
    """
    steps = [1, 1, 1]
    while np.prod([-(-n // step) for n, step in zip(shape, steps, strict=True)]) > limit:
        steps[int(np.argmin(np.asarray(steps) * spacing))] += 2
    return steps[0], steps[1], steps[2]


def thinned(volume: Volume, box: Box, steps: tuple[int, int, int]) -> Volume:
    """Every `steps`-th voxel of a box, unchanged, with the affine that belongs to it; a view."""
    cut = tuple(slice(low, high, step) for (low, high), step in zip(box, steps, strict=True))
    index = np.diag([*map(float, steps), 1.0])
    index[:3, 3] = [low for low, _ in box]
    return replace(volume, data=volume.data[cut], affine=volume.affine @ index)
