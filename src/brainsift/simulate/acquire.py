"""Acquisition: thick slices, bias field, ghosts, noise, intensity curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.separable import along, spline_field

Float32 = NDArray[np.float32]

BIAS_KNOT_MM = 70.0
"""Coil sensitivity varies over several centimetres."""


@dataclass(frozen=True)
class Acquisition:
    """One drawn acquisition.

    Attributes
    ----------
    resolution_mm : (3,), width of the voxel that averages the tissue; nothing happens below the grid's spacing.
    bias : standard deviation of the logarithm of the bias field.
    noise : standard deviation of the complex noise relative to the brightest tissue.
    texture_mm : correlation length of the within-tissue variation.
    ghost, ghost_axis, ghost_parts : strength, axis and number of copies of a Nyquist-like ghost.
    gamma : exponent of the final intensity curve.
    seed : of all random fields.
    """

    resolution_mm: tuple[float, float, float]
    bias: float
    noise: float
    texture_mm: float
    ghost: float
    ghost_axis: int
    ghost_parts: int
    gamma: float
    seed: int


def draw_acquisition(rng: np.random.Generator) -> Acquisition:
    """Draw an acquisition: 60 % about isotropic at 0.7-2 mm, 40 % with slices of 2-7 mm along one axis."""
    in_plane = float(rng.uniform(0.5, 2.0))
    resolution = np.full(3, in_plane) * rng.uniform(0.85, 1.15, 3)
    if rng.random() < 0.4:
        resolution[rng.choice(3, p=[0.2, 0.2, 0.6])] = rng.uniform(2, 7)
    return Acquisition(
        resolution_mm=(float(resolution[0]), float(resolution[1]), float(resolution[2])),
        bias=float(rng.uniform(0, 0.35) if rng.random() < 0.8 else rng.uniform(0.35, 0.7)),
        noise=float(rng.gamma(1.5, 0.02) if rng.random() < 0.85 else rng.uniform(0.05, 0.15)),
        texture_mm=float(rng.uniform(1, 6)),
        ghost=float(rng.uniform(0.02, 0.25)) if rng.random() < 0.1 else 0.0,
        ghost_axis=int(rng.integers(3)),
        ghost_parts=int(rng.integers(2, 5)),
        gamma=float(np.exp(rng.normal(0, 0.2))),
        seed=int(rng.integers(2**31)),
    )


def slice_profile(n: int, spacing_mm: float, width_mm: float, offset: float) -> Float32 | None:
    """Average over slices `width_mm` thick, then interpolate to the grid, (n, n); None if it changes nothing."""
    ratio = width_mm / spacing_mm
    if ratio <= 1.05:
        return None
    centres = np.arange(-offset * ratio, n - 1 + ratio, ratio)
    grid = np.arange(n)
    overlap = np.minimum(grid + 0.5, centres[:, None] + ratio / 2) - np.maximum(
        grid - 0.5, centres[:, None] - ratio / 2
    )
    down = np.clip(overlap, 0, 1)
    covers = down.sum(axis=1) > 1e-6
    # A slice that lies wholly outside the grid has nothing to average and must not darken its edge.
    down, centres = down[covers] / down[covers].sum(axis=1, keepdims=True), centres[covers]
    at = np.clip((grid - centres[0]) / ratio, 0, len(centres) - 1.001)
    low = at.astype(int)
    up = np.zeros((n, len(centres)))
    up[grid, low] = 1 - (at - low)
    up[grid, low + 1] = at - low
    profile: Float32 = (up @ down).astype(np.float32)
    return profile


def acquire(tissue: Float32, spread: Float32, acquisition: Acquisition, spacing_mm: float) -> Float32:
    """Turn the ideal image into an acquired one.

    Parameters
    ----------
    tissue : (X, Y, Z), mean signal, the brightest tissue about 1.
    spread : (X, Y, Z), standard deviation of the within-tissue variation.
    """
    a = acquisition
    rng = np.random.default_rng(a.seed)
    image = tissue + spread * _texture(rng, tissue.shape, a.texture_mm / spacing_mm)
    for axis, width in enumerate(a.resolution_mm):
        profile = slice_profile(image.shape[axis], spacing_mm, width, float(rng.random()))
        if profile is not None:
            image = along(profile, image, axis)
    if a.bias:
        image = image * np.exp(a.bias * spline_field(rng, image.shape, BIAS_KNOT_MM / spacing_mm))
    if a.ghost:
        image = image + a.ghost * np.roll(image, image.shape[a.ghost_axis] // a.ghost_parts, axis=a.ghost_axis)
    if a.noise:
        image = add_rician_noise(rng, image, a.noise)
    acquired: Float32 = np.maximum(image, 0) ** np.float32(a.gamma)
    return acquired


def add_rician_noise(rng: np.random.Generator, image: Float32, sigma: float) -> Float32:
    """Magnitude of the image plus complex Gaussian noise (Gudbjartsson & Patz 1995, MRM 34:910)."""
    real = image + np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
    imaginary = np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
    magnitude: Float32 = np.hypot(real, imaginary)
    return magnitude


def _texture(rng: np.random.Generator, shape: tuple[int, int, int], scale: float) -> Float32:
    if scale <= 1.2:
        return rng.standard_normal(shape, dtype=np.float32)
    return spline_field(rng, shape, scale)
