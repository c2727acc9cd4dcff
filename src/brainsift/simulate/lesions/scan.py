"""A T1w scan of a painted head on a grid of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.scans.conform import axis_weights, separable
from brainsift.simulate.acquire import BIAS_KNOT_MM, add_rician_noise
from brainsift.simulate.lesions.slices import Stack
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

THIN_MM = (0.8, 1.2)
WIDE_MM = (1.2, 1.5)
THICK_MM = (1.2, 3.0)


@dataclass(frozen=True)
class Sampling:
    """How an image is taken.

    Attributes
    ----------
    voxel_mm : (3,).
    offset : (3,), share of a voxel by which the grid is moved.
    blur_mm : standard deviation of the blur beyond that of the voxel, such as k-space filters make.
    bias : standard deviation of the logarithm of the bias field.
    noise : standard deviation of the complex noise relative to the brightest tissue.
    seed : of bias and noise.
    """

    voxel_mm: tuple[float, float, float]
    offset: tuple[float, float, float]
    blur_mm: float
    bias: float
    noise: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_sampling(rng: np.random.Generator, voxel_mm: tuple[float, float, float] | None = None) -> Sampling:
    """Draw how a scan is taken; voxels of 0.8 to 1.5 mm, one side up to 3 mm in a fifth of scans, where not given."""
    x, y, z = (float(v) for v in _draw_voxel(rng)) if voxel_mm is None else voxel_mm
    a, b, c = (float(v) for v in rng.uniform(-0.5, 0.5, 3))
    return Sampling(
        voxel_mm=(x, y, z),
        offset=(a, b, c),
        blur_mm=float(rng.uniform(0.25, 0.6)),
        bias=float(rng.uniform(0, 0.3)),
        noise=float(rng.gamma(1.5, 0.011)),
        seed=int(rng.integers(2**31)),
    )


def _draw_voxel(rng: np.random.Generator) -> Float64:
    kind = rng.random()
    if kind < 0.3:
        voxel = np.ones(3)
    elif kind < 0.6:
        voxel = np.full(3, rng.uniform(*THIN_MM))
    elif kind < 0.8:
        voxel = np.full(3, rng.uniform(*WIDE_MM))
    else:
        voxel = np.full(3, rng.uniform(*THIN_MM))
        voxel[int(rng.integers(3))] = rng.uniform(*THICK_MM)
    return voxel


def t1w_grid(shape: tuple[int, ...], spacing_mm: float, sampling: Sampling) -> tuple[list[Float32], Float64]:
    """Matrices (one an axis) from the fine grid to the scan's, and the affine (4, 4) of the scan in fine voxels."""
    weights, affine = [], np.eye(4)
    for axis, (n, voxel, offset) in enumerate(zip(shape, sampling.voxel_mm, sampling.offset, strict=True)):
        count = max(1, int(n * spacing_mm / voxel) - 1)
        start = (n * spacing_mm - count * voxel) / 2 + offset * voxel
        weights.append(axis_weights(n, spacing_mm, count, voxel, start))
        affine[axis, axis] = voxel / spacing_mm
        affine[axis, 3] = (start + voxel / 2) / spacing_mm - 0.5
    return weights, affine


def take(painted: Float32, onto: list[Float32] | Stack, spacing_mm: float, sampling: Sampling) -> Float32:
    """The scan before its noise, float32 on the scan's grid: that of the matrices, or a stack of slices."""
    blurred = ndimage.gaussian_filter(painted, sampling.blur_mm / spacing_mm, truncate=3.0)
    image = onto.see(blurred) if isinstance(onto, Stack) else np.ascontiguousarray(separable(blurred, onto))
    return _biased(image, sampling)


def finish(image: Float32, sampling: Sampling) -> Float32:
    """The scan with its noise."""
    rng = np.random.default_rng([sampling.seed, 1])
    return add_rician_noise(rng, image, sampling.noise) if sampling.noise else image


def _biased(image: Float32, sampling: Sampling) -> Float32:
    if not sampling.bias:
        return image
    rng = np.random.default_rng([sampling.seed, 0])
    x, y, z = image.shape
    knots = BIAS_KNOT_MM / float(np.mean(sampling.voxel_mm))
    biased: Float32 = image * np.exp(np.float32(sampling.bias) * spline_field(rng, (x, y, z), knots))
    return biased
