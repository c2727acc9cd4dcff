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
from brainsift.anatomy.voxels import Voxels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

STEP_DAMPING = 1.0
"""Largest step of half a voxel: du = F / (F² + damping)."""

SMOOTH_STEP = 1.0
SMOOTH_DISPLACEMENT = 1.0
"""Standard deviations in voxels of the Gaussians on each step and on the whole: softer sheets followed the noise."""

MAX_STEP = 1.5
"""Voxels that an affine step moves any voxel at the most: farther away the gradient tells little."""

CURVATURE_FLOOR = 1e-3
"""Of the mean curvature: directions about which the image says nothing stay as they are."""

PROBABILITY_FLOOR = np.float32(1e-4)

Explain = Callable[[Float32], Float32]
"""Prior float32 (N, 17) → likelihood of each voxel's brightness under each structure, of the same shape."""


def bend(
    shares: Float32,
    at: Float32,
    voxels: Voxels,
    explain: Explain,
    displacement: Float32,
    steps: tuple[int, ...],
) -> Float32:
    """Improve a displacement.

    Parameters
    ----------
    shares : float32 (x, y, z, 17), the table.
    at : float32 (3, X, Y, Z), table voxels of the grid before bending.
    voxels : of that grid, which pull at the displacement.
    explain : estimates the mixture model anew from the bent prior of `voxels`.
    displacement : float32 (3, X, Y, Z), table voxels, to start from; changed in place.
    steps : how many steps to make after each estimate.

    Returns
    -------
    `displacement`.
    """
    from scipy.ndimage import gaussian_filter

    for count in steps:
        likelihood = explain(sample(shares, voxels.take(at + displacement)))
        for _ in range(count):
            force = _force(sample(shares, voxels.take_halo(at + displacement)), likelihood, voxels)
            force /= (force**2).sum(axis=0) + np.float32(STEP_DAMPING)
            for axis, part in enumerate(voxels.put(force)):
                step = gaussian_filter(part, SMOOTH_STEP, truncate=2.5)
                displacement[axis] = gaussian_filter(displacement[axis] + step, SMOOTH_DISPLACEMENT, truncate=2.5)
    return displacement


def align(
    shares: Float32,
    at: Callable[[Float64], Float32],
    voxels: Voxels,
    explain: Explain,
    steps: tuple[int, ...],
) -> Float64:
    """Improve an affine by Gauss-Newton steps on the likelihood (Ashburner & Friston 2005, as above).

    Parameters
    ----------
    shares : float32 (x, y, z, 17), the table.
    at : 4x4 that moves the voxels of the grid → float32 (3, X, Y, Z), where they then lie in the table.
    voxels, explain, steps : as in `bend`.

    Returns
    -------
    4x4, voxel of the grid → voxel of the grid, to be applied before the affine that `at` stands for.
    """
    place = np.stack(np.unravel_index(voxels.index, voxels.shape)).astype(np.float64)
    motion = np.eye(4)
    for count in steps:
        likelihood = explain(sample(shares, voxels.take(at(motion))))
        for _ in range(count):
            force = _force(sample(shares, voxels.take_halo(at(motion))), likelihood, voxels)
            motion = motion @ affine_step(force, place)
    return motion


def affine_step(force: Float32, place: Float64) -> Float64:
    """The small affine, 4x4, along which the likelihood rises most, from its gradient (3, N) at voxels (3, N)."""
    centre, spread = place.mean(axis=1, keepdims=True), place.std() + 1.0
    basis = np.vstack([(place - centre) / spread, np.ones(place.shape[1])])
    slopes = (force[:, None] * basis).reshape(12, -1)
    curvature = slopes @ slopes.T
    curvature += np.eye(12) * (CURVATURE_FLOOR * np.trace(curvature) / 12 + 1e-9)
    step = np.linalg.solve(curvature, slopes.sum(axis=1)).reshape(3, 4)
    step *= min(1.0, MAX_STEP / (np.abs(step @ basis).max() + 1e-9))
    affine = np.eye(4)
    affine[:3, :3] += step[:, :3] / spread
    affine[:3, 3] = step[:, 3] - step[:, :3] @ (centre[:, 0] / spread)
    return affine


def _force(prior: Float32, likelihood: Float32, voxels: Voxels) -> Float32:
    """Gradient of the log-likelihood by the displacement, float32 (3, N), per grid voxel.

    Parameters
    ----------
    prior : float32 (M, 17), of the voxels and their neighbours.
    likelihood : float32 (N, 17).
    """
    here = prior[voxels.here] + PROBABILITY_FLOOR
    pull = likelihood / np.einsum("ns,ns->n", here, likelihood)[:, None]
    force = np.empty((3, len(likelihood)), np.float32)
    for axis in range(3):
        difference = prior[voxels.after[axis]]
        difference -= prior[voxels.before[axis]]
        np.einsum("ns,ns->n", pull, difference, out=force[axis])
    force *= np.float32(0.5)
    return force
