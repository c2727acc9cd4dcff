"""Bend the average head until its structures lie where the image shows them.

The mixture model says how well each structure explains each voxel; the displacement climbs the log-likelihood of the
image under the displaced prior, smoothed as a viscous and elastic sheet (Ashburner & Friston 2005, NeuroImage 26:839;
Vercauteren 2009, NeuroImage 45:S61 for the step). The grid has the size of the table's voxels, about.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.atlas_prior import sample

Float32 = NDArray[np.float32]

STEP_DAMPING = 1.0
"""Largest step of half a voxel: du = F / (F² + damping)."""

SMOOTH_STEP = 1.0
SMOOTH_DISPLACEMENT = 1.0
"""Standard deviations in voxels of the Gaussians on each step and on the whole: softer sheets followed the noise."""

PROBABILITY_FLOOR = np.float32(1e-4)

Explain = Callable[[Float32], Float32]
"""Prior float32 (X, Y, Z, 17) → likelihood of each voxel's brightness under each structure, of the same shape."""


def bend(
    shares: Float32,
    at: Float32,
    explain: Explain,
    displacement: Float32,
    steps: tuple[int, ...],
) -> Float32:
    """Improve a displacement.

    Parameters
    ----------
    shares : float32 (x, y, z, 17), the table.
    at : float32 (3, X, Y, Z), table voxels of the grid before bending.
    explain : estimates the mixture model anew from the bent prior.
    displacement : float32 (3, X, Y, Z), table voxels, to start from; changed in place.
    steps : how many steps to make after each estimate.

    Returns
    -------
    `displacement`.
    """
    from scipy.ndimage import gaussian_filter

    for count in steps:
        likelihood = explain(sample(shares, at + displacement))
        for _ in range(count):
            force = _force(sample(shares, at + displacement), likelihood)
            force /= (force**2).sum(axis=0) + np.float32(STEP_DAMPING)
            for axis in range(3):
                step = gaussian_filter(force[axis], SMOOTH_STEP, truncate=2.5)
                displacement[axis] = gaussian_filter(displacement[axis] + step, SMOOTH_DISPLACEMENT, truncate=2.5)
    return displacement


def _force(prior: Float32, likelihood: Float32) -> Float32:
    """Gradient of the log-likelihood by the displacement, float32 (3, X, Y, Z), per grid voxel."""
    prior = prior + PROBABILITY_FLOOR
    pull = likelihood / np.einsum("xyzs,xyzs->xyz", prior, likelihood)[..., None]
    force = np.zeros((3, *prior.shape[:3]), np.float32)
    for axis in range(3):
        inner = tuple(slice(1, -1) if a == axis else slice(None) for a in range(3))
        after = tuple(slice(2, None) if a == axis else slice(None) for a in range(3))
        before = tuple(slice(None, -2) if a == axis else slice(None) for a in range(3))
        force[axis][inner] = 0.5 * np.einsum("xyzs,xyzs->xyz", pull[inner], prior[after] - prior[before])
    return force
