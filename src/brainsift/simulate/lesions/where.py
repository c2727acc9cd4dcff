"""Places where lesions of a kind may have their centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.lesions.ground import Ground
from brainsift.simulate.lesions.kinds import JUXTACORTICAL_MM, Kind

Float64 = NDArray[np.float64]

DEEP_FROM_WALL_MM = 7.0
DEEP_FROM_CORTEX_MM = 3.0
AT_WALL_MM = (0.5, 5.0)
"""Centres of ovoid lesions that stand on the ventricle's wall."""

INSIDE_MM = 2.0
"""Centres in brainstem and cerebellum lie this far below their surface."""

PONS_Z_MM = (-48.0, -14.0)
"""Height of the pons in MNI152; medulla below and midbrain above are mostly spared."""

MIDLINE_MM = 7.0
"""Of cerebral white matter nearer to the midline than this (corpus callosum, fornix) nothing discrete is drawn."""


def candidates(ground: Ground, kind: Kind) -> Float64:
    """Voxels (n, 3) of the box where a lesion of `kind` may have its centre; none where there is no such place."""
    step = max(ground.spacing_mm, JUXTACORTICAL_MM)
    if kind == Kind.INFRATENTORIAL:
        at = np.argwhere(ground.infratentorial & (ground.outside_mm >= INSIDE_MM)).astype(np.float64)
        mni = ground.mni(at)
        pons = (mni[:, 2] > PONS_Z_MM[0]) & (mni[:, 2] < PONS_Z_MM[1])
        return at[pons] if pons.any() else at
    wall, cortex = ground.ventricle_mm, ground.cortex_mm
    if kind == Kind.JUXTACORTICAL:
        allowed = ground.white & (cortex <= 2 * step) & (wall > DEEP_FROM_WALL_MM)
    elif kind == Kind.PERIVENTRICULAR:
        allowed = ground.white & (wall >= AT_WALL_MM[0]) & (wall <= AT_WALL_MM[1])
    else:
        allowed = ground.white & (wall >= DEEP_FROM_WALL_MM) & (cortex >= DEEP_FROM_CORTEX_MM)
    at = np.argwhere(allowed).astype(np.float64)
    mni = ground.mni(at)
    # Temporal poles and the gyrus rectus have few; the centrum semiovale has most.
    usual = (np.abs(mni[:, 0]) > MIDLINE_MM) & (mni[:, 2] > -15)
    return at[usual] if usual.any() else at


def radial(ground: Ground, at: Float64) -> Float64:
    """Unit vector (3,) away from the ventricle's wall at a voxel."""
    low = np.clip(np.rint(at).astype(int) - 4, 0, None)
    part = ground.ventricle_mm[tuple(slice(a, a + 9) for a in low)]
    smooth = ndimage.gaussian_filter(part, 1.5)
    if min(smooth.shape) < 2:
        return np.array([0.0, 0.0, 1.0])
    slope = np.array([float(np.mean(g)) for g in np.gradient(smooth)])
    length = float(np.linalg.norm(slope))
    return slope / length if length > 1e-6 else np.array([0.0, 0.0, 1.0])
