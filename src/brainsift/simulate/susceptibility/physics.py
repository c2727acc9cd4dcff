"""Susceptibility, field, phase and signal: the closed forms that the simulation stands on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

GAMMA_HZ_PER_T = 42.577e6
"""Gyromagnetic ratio of the proton over 2 pi (CODATA)."""


def radians_per_ppm(field_t: float, te_ms: float) -> float:
    """Phase that one part per million of the main field makes until the echo."""
    return 2 * np.pi * GAMMA_HZ_PER_T * field_t * te_ms * 1e-9


def spoiled_gre(
    density: Float64, t1_ms: Float64, r2_star: Float64, tr_ms: float, te_ms: float, flip_deg: float
) -> Float64:
    """Steady-state magnitude of a spoiled gradient echo (Bernstein, Handbook of MRI Pulse Sequences, 2004, ch. 14).

    Parameters
    ----------
    density : (n,), proton density.
    t1_ms : (n,).
    r2_star : (n,), 1/s.
    """
    e1, angle = np.exp(-tr_ms / t1_ms), np.deg2rad(flip_deg)
    signal: Float64 = density * np.sin(angle) * (1 - e1) / (1 - np.cos(angle) * e1) * np.exp(-te_ms * r2_star / 1000)
    return signal


def dipole_kernel(shape: tuple[int, ...], spacing_mm: tuple[float, ...], b0: Float64) -> Float32:
    """Field of a unit dipole in k-space, 1/3 - cos^2, for a real transform of `shape` (Marques & Bowtell 2005, Concepts
    Magn Reson B 25:65; Salomir 2003, ibid. 19:26). The Lorentz sphere is taken off; the mean field is 0.

    Parameters
    ----------
    b0 : (3,), unit vector of the main field along the grid's axes.
    """
    last = len(shape) - 1
    axes = [
        (fft.rfftfreq(n, mm) if axis == last else fft.fftfreq(n, mm)).astype(np.float32)
        for axis, (n, mm) in enumerate(zip(shape, spacing_mm, strict=True))
    ]
    kx, ky, kz = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None]
    x, y, z = b0.astype(np.float32)
    square = kx * kx + ky * ky + kz * kz
    square[0, 0, 0] = 1
    along = x * kx + y * ky + z * kz
    kernel: Float32 = np.float32(1 / 3) - along * along / square
    kernel[0, 0, 0] = 0
    return kernel


def dipole_field(chi_ppm: Float32, spacing_mm: tuple[float, ...], b0: Float64) -> Float32:
    """Change of the main field along itself, ppm, of a susceptibility map (X, Y, Z) that repeats beyond its edges."""
    shape = [fft.next_fast_len(n, real=True) for n in chi_ppm.shape]
    spectrum = fft.rfftn(chi_ppm, shape)
    spectrum *= dipole_kernel(tuple(shape), spacing_mm, b0)
    x, y, z = chi_ppm.shape
    field: Float32 = fft.irfftn(spectrum, shape, overwrite_x=True)[:x, :y, :z]
    return field


def sphere_field(offsets_mm: Float32, radius_mm: float, chi_ppm: float, b0: Float64) -> Float32:
    """Field of a sphere at `offsets_mm` (..., 3) from its centre, ppm: that of a dipole outside, 0 inside.

    Parameters
    ----------
    chi_ppm : of the sphere over its surroundings.
    """
    square = (offsets_mm * offsets_mm).sum(axis=-1)
    along = offsets_mm @ b0.astype(np.float32)
    outside = np.maximum(square, np.float32(radius_mm**2))
    share = np.float32(radius_mm) / np.sqrt(outside)
    field: Float32 = np.float32(chi_ppm / 3) * share**3 * (3 * along * along / outside - 1)
    return np.where(square < radius_mm**2, np.float32(0), field)
