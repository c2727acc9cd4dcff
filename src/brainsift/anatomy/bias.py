"""The smooth brightness field of a scan, from what the mixture model expects of each voxel.

As in SPM and SAMSEG (Ashburner & Friston 2005, NeuroImage 26:839) the field is what is left between the image and the
brightness of its structures, weighted by how sharply each structure is known; here smoothed instead of fitted by a
basis, which costs milliseconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.voxels import Voxels

Float32 = NDArray[np.float32]

SMOOTHING_MM = 16.0
"""Standard deviation of the Gaussian: narrower than a coil's field, wider than a gyrus."""

ROUNDS = 2
"""On simulated heads of random contrast the field brought mean tissue Dice up by 0.02 to 0.03; more rounds nothing."""

FIELD_LIMITS = (0.4, 2.5)
MIN_VARIANCE = 1e-4
HOLD = 0.02
"""Share of the largest weight that pulls the field to 1, where there is little brain."""


def brightness_field(
    image: Float32, posterior: Float32, voxels: Voxels, spacing_mm: float, outside: int = 2
) -> Float32:
    """Estimate the field by which the image is brighter than its structures let expect.

    Parameters
    ----------
    image : float32 (X, Y, Z), in [0, 1].
    posterior : float32 (S, N), sums to 1 over the first axis.
    voxels : those of the image that `posterior` is about; the others tell nothing.
    spacing_mm : voxel size.
    outside : the first structures, air and head, which tell nothing about the field inside the skull.

    Returns
    -------
    float32 (X, Y, Z), about 1.
    """
    from scipy.ndimage import gaussian_filter

    values = voxels.take(image)
    mass = posterior.sum(axis=1) + 1e-3
    mean = posterior @ values / mass
    variance = posterior @ (values * values) / mass - mean * mean
    weight = 1.0 / np.maximum(variance, MIN_VARIANCE)
    weight[:outside] = 0
    sigma = SMOOTHING_MM / spacing_mm
    expected = voxels.put(((mean * weight).astype(np.float32) @ posterior) * values)
    certainty = voxels.put((mean * mean * weight).astype(np.float32) @ posterior)
    above = gaussian_filter(expected, sigma, mode="nearest", truncate=3)
    below = gaussian_filter(certainty, sigma, mode="nearest", truncate=3)
    hold = np.float32(HOLD) * below.max() + np.float32(1e-12)
    field: Float32 = np.clip((above + hold) / (below + hold), *FIELD_LIMITS).astype(np.float32)
    return field
