"""Caps, bands and confluent lesions: a layer of white matter along the ventricles whose thickness varies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.lesions.ground import Ground
from brainsift.simulate.lesions.kinds import Kind
from brainsift.simulate.lesions.plan import Halo
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]

CALLOSUM_HALF_MM = 9.0
"""Nearer to the midline than this, above and behind the ventricles lies the corpus callosum, which is mostly spared."""

CALLOSUM_SHARE = 0.25
"""Thickness of a layer in the corpus callosum, relative to that beside it."""

TEMPORAL_SHARE = 0.35
"""The same along the temporal horns, which are seldom lined."""

RAGGED_MM = 5.0
"""From one indentation of a confluent lesion's border to the next."""

RAGGED_SHARE = 0.3
"""How deep they are, relative to the thickness."""

BISECTIONS = 30

THICKEST_MM = 60.0

TAPER = 3.0
"""By how much a layer may be thicker for each millimetre above its least thickness."""


def halo_field(ground: Ground, halo: Halo) -> tuple[NDArray[np.int64], Float32]:
    """Where a layer may lie, and how far inside each voxel is.

    The layer's thickness is a pattern times one number, which is sought so that the volume is the one asked for: small
    volumes stay at the horns' tips, larger ones run along the wall, still larger ones reach into the depth.

    Returns
    -------
    voxels : (n,), flat indices into the box.
    inside_mm : float32 (n,), positive inside. Empty where there are no ventricles.
    """
    near = ground.white & (ground.ventricle_mm < halo.reach_mm) & (ground.cortex_mm > halo.spare_cortex_mm)
    voxels = np.flatnonzero(near)
    if not voxels.size or halo.volume_ml <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    wall = ground.ventricle_mm.ravel()[voxels] - np.float32(ground.spacing_mm / 2)
    thickness = _pattern(ground, halo, voxels)
    room = np.minimum(halo.reach_mm - wall, ground.cortex_mm.ravel()[voxels] - halo.spare_cortex_mm)
    low, high = 0.0, THICKEST_MM
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        inside = np.minimum(_tapered(np.float32(middle) * thickness, halo.least_mm) - wall, room)
        volume = float(np.clip(inside / halo.edge_mm + 0.5, 0, 1).sum()) * ground.voxel_ml
        low, high = (low, middle) if volume > halo.volume_ml else (middle, high)
    return voxels, inside.astype(np.float32)


def _tapered(thickness_mm: Float32, least_mm: float) -> Float32:
    """Thickness that falls to 0, and below, towards places where it would be less than `least_mm`."""
    tapered: Float32 = np.minimum(thickness_mm, np.float32(TAPER) * (thickness_mm - np.float32(least_mm)))
    return tapered


def _pattern(ground: Ground, halo: Halo, voxels: NDArray[np.int64]) -> Float32:
    """Relative thickness at the voxels, float32 (n,), about 1 in a band."""
    rng = np.random.default_rng(halo.seed)
    change = _two_sided(rng, ground, halo.patch_mm, halo.symmetry).ravel()[voxels]
    pattern = np.exp(np.float32(halo.roughness) * change)
    at = np.stack(np.unravel_index(voxels, ground.shape), axis=1).astype(np.float32)
    cap = np.ones(len(voxels), np.float32)
    for tips in ground.horn_tips():
        for tip, weight in zip(tips, (halo.front, halo.back), strict=True):
            far2 = ((at - tip.astype(np.float32)) ** 2).sum(axis=1) * np.float32(ground.spacing_mm**2)
            cap += np.float32(weight - 1) * np.exp(-far2 / np.float32(2 * halo.cap_mm**2))
    pattern *= np.maximum(cap, 0.05)
    x, y, z = ground.mni(at.astype(np.float64)).astype(np.float32).T
    beside = np.clip((np.abs(x) - 0.6 * CALLOSUM_HALF_MM) / CALLOSUM_HALF_MM, 0, 1)
    pattern *= CALLOSUM_SHARE + (1 - CALLOSUM_SHARE) * beside
    temporal = np.clip((y + 40) / 10, 0, 1) * np.clip((4 - z) / 8, 0, 1)
    pattern *= 1 - (1 - TEMPORAL_SHARE) * temporal
    if halo.kind == Kind.CONFLUENT:
        ragged = spline_field(rng, ground.shape, RAGGED_MM / ground.spacing_mm).ravel()[voxels]
        pattern *= np.exp(np.float32(RAGGED_SHARE) * ragged)
    scaled: Float32 = pattern.astype(np.float32)
    return scaled


def _two_sided(rng: np.random.Generator, ground: Ground, scale_mm: float, symmetry: float) -> Float32:
    """Smooth random field of about unit variance, partly alike left and right of the midline."""
    scale = scale_mm / ground.spacing_mm
    same, other = spline_field(rng, ground.shape, scale), spline_field(rng, ground.shape, scale)
    middle = float(np.linalg.inv(ground.to_mni)[0] @ np.array([0.0, -20.0, 20.0, 1.0]))
    shift = 2 * middle - (ground.shape[0] - 1)
    mirrored = ndimage.shift(same[::-1], (round(shift), 0, 0), order=0, mode="nearest")
    field: Float32 = np.sqrt(symmetry / 2) * (same + mirrored) + np.sqrt(1 - symmetry) * other
    return field.astype(np.float32)
