"""Artefacts of intensity: noise, loss of contrast, bias field."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.noise import noise_sd
from brainsift.simulate.acquire import BIAS_KNOT_MM
from brainsift.simulate.artefacts.measures import (
    Corrupted,
    Mask,
    change_in,
    grey_and_white_levels,
    not_air,
    relative_contrast,
)
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]

G_FACTOR_KNOT_MM = 50.0
"""Parallel imaging amplifies noise over regions of a few centimetres."""

SNR_AT_REST = 45.0
"""Brain SNR that is asked for at severity 0."""

SNR_PER_GRADE = 2.6
"""By which it is divided per grade asked for."""


@dataclass(frozen=True)
class Noise:
    """Noise of the receiver.

    Attributes
    ----------
    snr : mean of the brain over the noise's standard deviation, to be reached.
    unevenness : standard deviation of the logarithm of the noise's level over the volume.
    seed : of the noise.
    """

    snr: float
    unevenness: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Noised:
    """An image with the brain SNR that is left; `added_sd` is the standard deviation of what was added."""

    image: Float32
    snr: float
    added_sd: float


def draw_noise(rng: np.random.Generator, severity: float) -> Noise:
    """Draw noise, at an asked `severity` of 0 to 2 roughly; in a third of the draws as uneven as parallel imaging's."""
    return Noise(
        snr=float(SNR_AT_REST / SNR_PER_GRADE**severity * np.exp(rng.normal(0, 0.2))),
        unevenness=float(rng.uniform(0.1, 0.4)) if rng.random() < 1 / 3 else 0.0,
        seed=int(rng.integers(2**31)),
    )


def apply_noise(
    image: Float32,
    noise: Noise,
    spacing_mm: tuple[float, float, float],
    brain: Mask | None = None,
    own_sd: float | None = None,
) -> Noised:
    """Add complex Gaussian noise and take the magnitude (Gudbjartsson & Patz 1995, MRM 34:910).

    What noise the image has already is measured and counts: as much is added as is missing, none where the image is
    noisier than asked for. 0.2 s for 192x224x192, 0.3 s where uneven.

    Parameters
    ----------
    own_sd : standard deviation of the noise that the image has, where it is known better than `noise_sd` finds it:
        folds of the cortex and ripples of motion look like noise to it.

    Raises
    ------
    ValueError
        if the SNR asked for is not above 0.
    """
    if noise.snr <= 0:
        raise ValueError(f"snr must be above 0, got {noise.snr}")
    brain = not_air(image) if brain is None else brain
    level, before = float(image[brain].mean()), noise_sd(image, brain) if own_sd is None else own_sd
    sd = float(np.sqrt(max((level / noise.snr) ** 2 - before**2, 0.0)))
    snr = level / max(float(np.hypot(sd, before)), 1e-6)
    if sd == 0:
        return Noised(image, snr, 0.0)
    rng = np.random.default_rng(noise.seed)
    real, imaginary = (rng.standard_normal(image.shape, dtype=np.float32) for _ in range(2))
    scale: Float32 | np.float32 = np.float32(sd)
    if noise.unevenness:
        knots = G_FACTOR_KNOT_MM / float(np.mean(spacing_mm))
        field = np.exp(np.float32(noise.unevenness) * spline_field(rng, _shape(image), knots))
        # The level asked for is that of the brain as a whole.
        scale = field * np.float32(sd / np.sqrt(np.mean(field[brain] ** 2)))
    real *= scale
    real += image
    imaginary *= scale
    magnitude: Float32 = np.hypot(real, imaginary)
    return Noised(magnitude, snr, sd)


@dataclass(frozen=True)
class LostContrast:
    """Grey and white matter brought nearer to each other: `kept` is the share of their difference that is left."""

    kept: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Faded:
    """An image with the relative contrast of grey and white matter that is left (see `relative_contrast`)."""

    image: Float32
    contrast: float


def draw_lost_contrast(rng: np.random.Generator, severity: float) -> LostContrast:
    """Draw a loss of contrast, at an asked `severity` of 0 to 2 roughly."""
    return LostContrast(float(np.clip(1 - 0.42 * severity + rng.normal(0, 0.08), 0.05, 1)))


def apply_lost_contrast(
    image: Float32,
    lost: LostContrast,
    brain: Mask | None = None,
    grey: Mask | None = None,
    white: Mask | None = None,
) -> Faded:
    """Bend the intensity curve so that it is flat between grey and white matter.

    Darker and brighter tissues keep their order; the curve never falls. 0.2 s for 192x224x192.

    Parameters
    ----------
    brain : used where `grey` and `white` are not given, to find their levels; what is not air, if None.
    grey, white : masks, best a voxel inside the edges.

    Raises
    ------
    ValueError
        if the share is not between 0 and 1, or a mask is empty.
    """
    if not 0 <= lost.kept <= 1:
        raise ValueError(f"the kept share of contrast must be between 0 and 1, got {lost.kept}")
    if grey is not None and white is not None:
        relative_contrast(image, grey, white)
        low, high = sorted((float(np.median(image[grey])), float(np.median(image[white]))))
    else:
        low, high = grey_and_white_levels(image, not_air(image) if brain is None else brain)
    middle, half = (low + high) / 2, lost.kept * (high - low) / 2
    top = max(float(image.max()), high * 1.001)
    curve = [0.0, middle - half, middle + half, top - high + middle + half]
    faded = np.interp(image, [0.0, low, high, top], curve).astype(np.float32)
    return Faded(faded, 2 * half / middle if middle > 0 else 0.0)


@dataclass(frozen=True)
class Bias:
    """A smooth multiplication: `strength` is the standard deviation of its logarithm, `seed` draws its shape."""

    strength: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_bias(rng: np.random.Generator, severity: float) -> Bias:
    """Draw a bias field, at an asked `severity` of 0 to 2 roughly."""
    return Bias(float(0.2 * severity * np.exp(rng.normal(0, 0.3))), int(rng.integers(2**31)))


def apply_bias(
    image: Float32, bias: Bias, spacing_mm: tuple[float, float, float], brain: Mask | None = None
) -> Corrupted:
    """Multiply by the field; the brain's mean stays. 0.05 s for 192x224x192."""
    brain = not_air(image) if brain is None else brain
    rng = np.random.default_rng(bias.seed)
    field = np.exp(
        np.float32(bias.strength) * spline_field(rng, _shape(image), BIAS_KNOT_MM / float(np.mean(spacing_mm)))
    )
    field *= image
    field *= np.float32(float(image[brain].mean()) / max(float(field[brain].mean()), 1e-6))
    return Corrupted(field, change_in(image, field, brain))


def _shape(image: Float32) -> tuple[int, int, int]:
    x, y, z = image.shape
    return x, y, z
