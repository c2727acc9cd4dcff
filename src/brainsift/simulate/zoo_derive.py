"""Improper scans made from a proper one, real or simulated: thick slices, a cut field of view, swapped axes, masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.acquire import add_rician_noise
from brainsift.simulate.write import sample

Float32 = NDArray[np.float32]
Affine = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST_CUT = 0.08
"""Share of the brain whose loss makes a scan improper; less is a matter of taste."""

AXIS_ORDERS = ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
"""All orders of three axes but the right one."""


@dataclass(frozen=True, eq=False)
class Derived:
    """An image float32 (X, Y, Z), its affine, what was done in words, and the share of the brain that was cut off."""

    image: Float32
    affine: Affine
    why: str
    outside: float = 0.0


def thick_slices(rng: np.random.Generator, image: Float32, affine: Affine) -> Derived:
    """Average into slices of 3 to 7 mm across one axis, most often the third; one in ten keeps a few slices alone."""
    axis = int(rng.choice(3, p=[0.2, 0.2, 0.6]))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    in_plane, thick = float(rng.uniform(0.6, 1.2)), float(rng.uniform(3, 7))
    voxel = [thick if a == axis else max(in_plane, float(spacing[a])) for a in range(3)]
    sliced, moved = sample(image, affine, (voxel[0], voxel[1], voxel[2]))
    why = f"2D slices of {thick:.1f} mm"
    if rng.random() < 0.1 and sliced.shape[axis] > 8:
        few, middle = int(rng.integers(3, 8)), sliced.shape[axis] // 2
        part = [slice(None)] * 3
        part[axis] = slice(middle - few // 2, middle - few // 2 + few)
        sliced = np.ascontiguousarray(sliced[tuple(part)])
        moved = _start(moved, axis, middle - few // 2)
        why = f"localizer of {few} slices"
    return Derived(sliced, moved, why)


def truncate(rng: np.random.Generator, image: Float32, affine: Affine, brain: Mask) -> Derived:
    """Cut the field of view so that 8 to 60 % of the brain lie outside; half of the scans keep empty voxels there."""
    axis = int(rng.choice(3, p=[0.2, 0.25, 0.55]))
    share = float(rng.uniform(LEAST_CUT, 0.6))
    counts = brain.sum(axis=tuple(a for a in range(3) if a != axis)).astype(float)
    from_below = bool(rng.random() < 0.5)
    seen = np.cumsum(counts if from_below else counts[::-1]) / max(counts.sum(), 1)
    first = int(np.searchsorted(seen, share)) + 1
    n = image.shape[axis]
    keep = slice(first, n) if from_below else slice(0, n - first)
    outside = float(seen[first - 1])
    part = [slice(None)] * 3
    part[axis] = keep
    why = f"{outside:.0%} of the brain outside the field of view"
    if rng.random() < 0.5:
        emptied = np.zeros_like(image)
        emptied[tuple(part)] = image[tuple(part)]
        return Derived(emptied, affine, why, outside)
    return Derived(np.ascontiguousarray(image[tuple(part)]), _start(affine, axis, keep.start), why, outside)


def swap_axes(rng: np.random.Generator, image: Float32, affine: Affine) -> Derived:
    """Reorder and reverse axes while the header still names the old ones; never a mere exchange of left and right,
    which nobody can see."""
    if rng.random() < 0.7:
        order = AXIS_ORDERS[int(rng.integers(len(AXIS_ORDERS)))]
        flips = rng.random(3) < 0.5
        why = "axes swapped against the header"
    else:
        order, flips = (0, 1, 2), np.array([rng.random() < 0.5, False, False])
        flips[int(rng.integers(1, 3))] = True
        why = "axes reversed against the header"
    turned = np.transpose(image, order)[tuple(slice(None, None, -1) if f else slice(None) for f in flips)]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    said = affine.copy()
    said[:3, :3] = affine[:3, :3] / spacing * spacing[list(order)]
    return Derived(np.ascontiguousarray(turned), said, why)


def to_mask(rng: np.random.Generator, mask: Mask, affine: Affine) -> Derived:
    """A mask as software writes it: 0 and 1, or 255, or a probability smoothed at the edge."""
    if rng.random() < 0.3:
        from scipy import ndimage

        return Derived(ndimage.gaussian_filter(mask.astype(np.float32), 1.5), affine, "probability map")
    return Derived(mask.astype(np.float32) * float(rng.choice([1, 1, 255])), affine, "mask")


def nothing(rng: np.random.Generator, shape: tuple[int, int, int], affine: Affine) -> Derived:
    """Noise alone, or one value everywhere."""
    if rng.random() < 0.3:
        return Derived(np.full(shape, float(rng.choice([0, 1, 100])), np.float32), affine, "one value everywhere")
    return Derived(add_rician_noise(rng, np.zeros(shape, np.float32), 0.1), affine, "noise alone")


def _start(affine: Affine, axis: int, voxel: int) -> Affine:
    """Affine of a grid that begins at another voxel."""
    moved = affine.copy()
    moved[:3, 3] += voxel * affine[:3, axis]
    return moved
