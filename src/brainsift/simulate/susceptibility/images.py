"""From the complex signal to what a scanner stores: magnitude, susceptibility-weighted image, susceptibility map."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from brainsift.simulate.acquire import BIAS_KNOT_MM
from brainsift.simulate.separable import spline_field
from brainsift.simulate.susceptibility.physics import dipole_kernel, radians_per_ppm
from brainsift.simulate.susceptibility.scanner import Scanner

Complex64 = NDArray[np.complex64]
Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Modality = Literal["gre", "swi", "qsm"]

HIGH_PASS_MM = 2.6
"""Standard deviation of the low-pass that SWI takes off: a 64 x 64 Hanning window over 220 mm (Haacke 2004, MRM
52:612)."""

MASK_POWER = 4
"""The phase mask is multiplied in four times (Haacke 2004)."""


def spread_points(signal: Complex64, scanner: Scanner) -> Complex64:
    """Blur by the point spread in the plane of the slices."""
    sigma = [0.0 if axis == scanner.slice_axis else scanner.blur_voxels for axis in range(3)]
    out = np.empty(signal.shape, np.complex64)
    out.real = ndimage.gaussian_filter(signal.real, sigma, truncate=3.0)
    out.imag = ndimage.gaussian_filter(signal.imag, sigma, truncate=3.0)
    return out


def add_noise(signal: Complex64, scanner: Scanner) -> Complex64:
    """Complex white noise."""
    rng = np.random.default_rng([scanner.seed, 1])
    noise = rng.standard_normal((*signal.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    noisy: Complex64 = signal + np.float32(scanner.noise) * noise
    return noisy


def bias_field(scanner: Scanner, shape: tuple[int, int, int]) -> Float32:
    """Coil sensitivity that is left in the image, (X, Y, Z)."""
    rng = np.random.default_rng([scanner.seed, 0])
    knots = BIAS_KNOT_MM / float(np.mean(scanner.voxel_mm))
    field: Float32 = np.exp(np.float32(scanner.bias) * spline_field(rng, shape, knots))
    return field


def high_pass_phase(signal: Complex64, scanner: Scanner) -> Float32:
    """Phase without its slow part, radians: that of the signal over its own blurred copy (homodyne filter)."""
    sigma = [0.0 if axis == scanner.slice_axis else HIGH_PASS_MM / mm for axis, mm in enumerate(scanner.voxel_mm)]
    real = ndimage.gaussian_filter(signal.real, sigma, truncate=2.5)
    imag = ndimage.gaussian_filter(signal.imag, sigma, truncate=2.5)
    phase: Float32 = np.arctan2(signal.imag * real - signal.real * imag, signal.real * real + signal.imag * imag)
    return phase


def phase_mask(phase: Float32) -> Float32:
    """1 where phase is 0 or negative, falling to 0 at pi: dark where the field is raised, as in veins and blood."""
    mask: Float32 = (1 - np.clip(phase, 0, None) / np.float32(np.pi)) ** MASK_POWER
    return mask


def susceptibility_map(
    chi_ppm: Float32, inside: Mask, scanner: Scanner, cut: float = 0.15, phase_noise: float | None = None
) -> Float32:
    """A map as dipole inversion in k-space gives it, ppm: cut where the kernel is small (Shmueli 2009, MRM 62:1510).

    Parameters
    ----------
    chi_ppm : truth (X, Y, Z) on the scan's grid, 0 where it is not tissue.
    inside : brain; the map is 0 elsewhere.
    cut : magnitude of the kernel below which it is held.
    phase_noise : standard deviation, radians; the scan's noise over its signal if None.
    """
    rng = np.random.default_rng([scanner.seed, 2])
    shape = [fft.next_fast_len(n, real=True) for n in chi_ppm.shape]
    kernel = dipole_kernel(tuple(shape), scanner.voxel_mm, scanner.b0)
    held = np.where(kernel < 0, np.float32(-1), np.float32(1)) * np.maximum(np.abs(kernel), np.float32(cut))
    spectrum = fft.rfftn(np.where(inside, chi_ppm, np.float32(0)), shape)
    spectrum *= kernel / held
    sigma = 1.5 * scanner.noise if phase_noise is None else phase_noise
    per_ppm = radians_per_ppm(scanner.field_t, scanner.te_ms)
    white = rng.standard_normal((*spectrum.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    spectrum += np.float32(sigma / per_ppm * np.sqrt(np.prod(shape) / 2)) * white / held
    x, y, z = chi_ppm.shape
    made = fft.irfftn(spectrum, shape, overwrite_x=True)[:x, :y, :z]
    map_: Float32 = np.where(inside, made - np.float32(made[inside].mean() if inside.any() else 0), np.float32(0))
    return map_
