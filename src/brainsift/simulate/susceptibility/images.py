"""From the complex signal to what a scanner stores: magnitude, susceptibility-weighted image, susceptibility map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from brainsift.simulate.acquire import BIAS_KNOT_MM
from brainsift.simulate.separable import spline_field
from brainsift.simulate.susceptibility.coverage import Shown
from brainsift.simulate.susceptibility.motion import Shake, draw_shake, shake_image
from brainsift.simulate.susceptibility.physics import dipole_kernel, radians_per_ppm
from brainsift.simulate.susceptibility.scanner import Scanner
from brainsift.simulate.susceptibility.scene import Scene

Complex64 = NDArray[np.complex64]
Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Modality = Literal["gre", "swi", "qsm"]

HIGH_PASS_MM = (1.8, 4.0)
"""Standard deviation of the low-pass that SWI takes off; 2.6 is a 64 x 64 Hanning window over 220 mm (Haacke 2004, MRM
52:612)."""

MASK_POWER = (2, 6)
"""The phase mask is multiplied in four times mostly (Haacke 2004)."""

MOVED_SHARE = 0.15
SMOOTHED_SHARE = 0.4


@dataclass(frozen=True)
class Finish:
    """What is done to the signal after it was taken.

    Attributes
    ----------
    shake : movement, or None.
    smooth_voxels : standard deviation of a filter in the plane of the slices, after the noise; 0 for none.
    gamma : exponent of the intensity curve of GRE and SWI.
    high_pass_mm, mask_power : of SWI.
    cut : of QSM, magnitude of the dipole kernel below which it is held.
    qsm_noise : of QSM, relative to what the scan's noise makes.
    qsm_smooth_voxels : of QSM, standard deviation of a filter in all directions.
    eroded : of QSM, voxels that its mask lacks at the brain's edge.
    """

    shake: Shake | None
    smooth_voxels: float
    gamma: float
    high_pass_mm: float
    mask_power: int
    cut: float
    qsm_noise: float
    qsm_smooth_voxels: float
    eroded: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_finish(rng: np.random.Generator, slice_axis: int) -> Finish:
    """Draw a processing."""
    return Finish(
        shake=draw_shake(rng, slice_axis) if rng.random() < MOVED_SHARE else None,
        smooth_voxels=float(rng.uniform(0.3, 0.8)) if rng.random() < SMOOTHED_SHARE else 0.0,
        gamma=float(np.exp(rng.normal(0, 0.12))),
        high_pass_mm=float(rng.uniform(*HIGH_PASS_MM)),
        mask_power=int(rng.integers(*MASK_POWER)),
        cut=float(rng.uniform(0.08, 0.25)),
        qsm_noise=float(np.exp(rng.uniform(np.log(0.5), np.log(2.5)))),
        qsm_smooth_voxels=float(rng.uniform(0.3, 0.8)),
        eroded=int(rng.integers(0, 3)),
    )


def finish(
    scene: Scene, scanner: Scanner, finishing: Finish, shown: Shown, modalities: Sequence[Modality]
) -> dict[Modality, Float32]:
    """Make the images of a scene."""
    made: dict[Modality, Float32] = {}
    if "gre" in modalities or "swi" in modalities:
        signal = take(scene, scanner, finishing)
        magnitude = np.abs(signal)
        if "swi" in modalities:
            phase = high_pass_phase(signal, scanner, finishing.high_pass_mm)
            made["swi"] = magnitude * phase_mask(phase, finishing.mask_power)
        if "gre" in modalities:
            made["gre"] = magnitude
        bias = bias_field(scanner, scene.grid.shape)
        for image in made.values():
            image *= bias
            np.power(image, np.float32(finishing.gamma), out=image)
            if shown.stripped:
                image *= scene.brain
    if "qsm" in modalities:
        made["qsm"] = map_susceptibility(scene, scanner, finishing)
    return {modality: made[modality] for modality in modalities}


def take(scene: Scene, scanner: Scanner, finishing: Finish) -> Complex64:
    """The scan's complex signal: slices, point spread, movement, noise, filter."""
    signal = np.empty(scene.grid.shape, np.complex64)
    signal.real, signal.imag = scene.grid.down(scene.signal.real), scene.grid.down(scene.signal.imag)
    signal = blur(signal, scanner, scanner.blur_voxels)
    if finishing.shake is not None:
        signal = shake_image(signal, finishing.shake, scanner.voxel_mm[finishing.shake.axis])
    rng = np.random.default_rng([scanner.seed, 1])
    noise = rng.standard_normal((*signal.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    signal += np.float32(scanner.noise) * noise
    return blur(signal, scanner, finishing.smooth_voxels)


def blur(signal: Complex64, scanner: Scanner, voxels: float) -> Complex64:
    """Blur by a Gaussian of so many voxels' standard deviation in the plane of the slices."""
    if not voxels:
        return signal
    sigma = [0.0 if axis == scanner.slice_axis else voxels for axis in range(3)]
    out = np.empty(signal.shape, np.complex64)
    out.real = ndimage.gaussian_filter(signal.real, sigma, truncate=3.0)
    out.imag = ndimage.gaussian_filter(signal.imag, sigma, truncate=3.0)
    return out


def bias_field(scanner: Scanner, shape: tuple[int, int, int]) -> Float32:
    """Coil sensitivity that is left in the image, (X, Y, Z)."""
    rng = np.random.default_rng([scanner.seed, 0])
    knots = BIAS_KNOT_MM / float(np.mean(scanner.voxel_mm))
    field: Float32 = np.exp(np.float32(scanner.bias) * spline_field(rng, shape, knots))
    return field


def high_pass_phase(signal: Complex64, scanner: Scanner, width_mm: float) -> Float32:
    """Phase without its slow part, radians: that of the signal over its own blurred copy (homodyne filter)."""
    sigma = [0.0 if axis == scanner.slice_axis else width_mm / mm for axis, mm in enumerate(scanner.voxel_mm)]
    real = ndimage.gaussian_filter(signal.real, sigma, truncate=2.5)
    imag = ndimage.gaussian_filter(signal.imag, sigma, truncate=2.5)
    phase: Float32 = np.arctan2(signal.imag * real - signal.real * imag, signal.real * real + signal.imag * imag)
    return phase


def phase_mask(phase: Float32, power: int) -> Float32:
    """1 where phase is 0 or negative, falling to 0 at pi: dark where the field is raised, as in veins and blood."""
    mask: Float32 = (1 - np.clip(phase, 0, None) / np.float32(np.pi)) ** power
    return mask


def map_susceptibility(scene: Scene, scanner: Scanner, finishing: Finish) -> Float32:
    """A map as dipole inversion in k-space gives it, ppm: cut where the kernel is small (Shmueli 2009, MRM 62:1510)."""
    chi = scene.grid.down(scene.chi_ppm)
    inside = scene.mapped
    if not inside.any():
        return np.zeros(chi.shape, np.float32)
    shape = [fft.next_fast_len(n, real=True) for n in chi.shape]
    kernel = dipole_kernel(tuple(shape), scanner.voxel_mm, scanner.b0)
    held = np.where(kernel < 0, np.float32(-1), np.float32(1)) * np.maximum(np.abs(kernel), np.float32(finishing.cut))
    spectrum = fft.rfftn(np.where(scene.brain, chi - np.float32(chi[inside].mean()), np.float32(0)), shape)
    spectrum *= kernel / held
    phase_noise = finishing.qsm_noise * scanner.noise / radians_per_ppm(scanner.field_t, scanner.te_ms)
    rng = np.random.default_rng([scanner.seed, 2])
    white = rng.standard_normal((*spectrum.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    spectrum += np.float32(phase_noise * np.sqrt(np.prod(shape) / 2)) * white / held
    x, y, z = chi.shape
    made = fft.irfftn(spectrum, shape, overwrite_x=True)[:x, :y, :z]
    made = ndimage.gaussian_filter(made, finishing.qsm_smooth_voxels, truncate=3.0)
    mapped: Float32 = np.where(inside, made - np.float32(made[inside].mean()), np.float32(0))
    return mapped
