"""Artefacts of k-space: ghosts, spikes, ringing, blur."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from brainsift.simulate.artefacts.measures import Corrupted, Mask, change_in, not_air

Float32 = NDArray[np.float32]
Three = tuple[float, float, float]


@dataclass(frozen=True)
class Ghost:
    """Every `parts`-th line of k-space differs from the others in phase and amplitude.

    Attributes
    ----------
    axis : phase-encoding axis.
    parts : 2 for echo trains that go there and back (Nyquist ghost, half a field of view away), more for more shots.
    phase : in radians; the ghost has sin(phase / 2) of the image's intensity where parts is 2.
    loss : share of amplitude that these lines lack.
    """

    axis: int
    parts: int
    phase: float
    loss: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_ghost(rng: np.random.Generator, severity: float) -> Ghost:
    """Draw a ghost, at an asked `severity` of 0 to 2 roughly."""
    return Ghost(
        axis=int(rng.integers(3)),
        parts=int(rng.choice([2, 3, 4])),
        phase=float(0.2 * severity * np.exp(rng.normal(0, 0.3))),
        loss=float(np.clip(0.1 * severity * rng.uniform(0, 1.5), 0, 0.9)),
    )


def apply_ghost(image: Float32, ghost: Ghost, brain: Mask | None = None) -> Corrupted:
    """Change the lines; 0.1 s for 192x224x192."""
    n = image.shape[ghost.axis]
    factors = np.ones(n, np.complex64)
    factors[:: ghost.parts] = (1 - ghost.loss) * np.exp(1j * ghost.phase)
    shape = [1, 1, 1]
    shape[ghost.axis] = n
    lines = fft.fft(image, axis=ghost.axis)
    lines *= factors.reshape(shape)
    return _corrupted(image, np.abs(fft.ifft(lines, axis=ghost.axis, overwrite_x=True)), brain)


@dataclass(frozen=True)
class Spikes:
    """Samples of k-space that a discharge made too large: each adds a plane wave to the whole volume.

    Attributes
    ----------
    at : for each spike, its frequency along x, y, z in cycles per voxel, -0.5 to 0.5.
    sizes : amplitude of each wave relative to the brain's mean intensity.
    phases : in radians.
    """

    at: tuple[Three, ...]
    sizes: tuple[float, ...]
    phases: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_spikes(rng: np.random.Generator, severity: float) -> Spikes:
    """Draw one to four spikes away from the centre of k-space, at an asked `severity` of 0 to 2 roughly."""
    number = int(rng.integers(1, 5))
    where = rng.uniform(-0.4, 0.4, (number, 3))
    # In one of three, spikes hit a line through the centre of a plane, and stripes run along an axis.
    where[:, int(rng.integers(3))] *= 0.0 if rng.random() < 1 / 3 else 1.0
    sizes = 0.08 * severity * np.exp(rng.normal(0, 0.4, number)) / np.sqrt(number)
    return Spikes(
        at=tuple((float(a), float(b), float(c)) for a, b, c in where),
        sizes=tuple(sizes.tolist()),
        phases=tuple(rng.uniform(0, 2 * np.pi, number).tolist()),
    )


def apply_spikes(image: Float32, spikes: Spikes, brain: Mask | None = None) -> Corrupted:
    """Add the waves; 0.05 s a spike for 192x224x192."""
    brain = not_air(image) if brain is None else brain
    level = float(image[brain].mean())
    signal = image.astype(np.complex64)
    for at, size, phase in zip(spikes.at, spikes.sizes, spikes.phases, strict=True):
        x, y, z = (
            np.exp(2j * np.pi * f * np.arange(n)).astype(np.complex64) for f, n in zip(at, image.shape, strict=True)
        )
        first = (np.complex64(level * size * np.exp(1j * phase)) * x)[:, None] * y[None]
        signal += first[:, :, None] * z
    return _corrupted(image, np.abs(signal), brain)


@dataclass(frozen=True)
class Ringing:
    """The outer part of k-space was not taken: `kept` is the share of lines that were, along x, y and z."""

    kept: Three

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_ringing(rng: np.random.Generator, severity: float) -> Ringing:
    """Draw a truncation along one or two axes, at an asked `severity` of 0 to 2 roughly."""
    kept = np.ones(3)
    for axis in rng.permutation(3)[: int(rng.integers(1, 3))]:
        kept[axis] = np.clip(1 - 0.33 * severity * rng.uniform(0.7, 1.2), 0.2, 1)
    return Ringing((float(kept[0]), float(kept[1]), float(kept[2])))


def apply_ringing(image: Float32, ringing: Ringing, brain: Mask | None = None) -> Corrupted:
    """Leave out the lines and fill them with zeros: edges ring with a period of 2 / kept voxels.

    0.1 s an axis for 192x224x192.

    Raises
    ------
    ValueError
        if a share is not above 0 and at most 1.
    """
    if not all(0 < kept <= 1 for kept in ringing.kept):
        raise ValueError(f"the kept share of lines must be above 0 and at most 1, got {ringing.kept}")
    rung = image
    for axis, kept in enumerate(ringing.kept):
        if kept == 1:
            continue
        n = image.shape[axis]
        rows = fft.rfft(rung, axis=axis)
        np.moveaxis(rows, axis, 0)[fft.rfftfreq(n) > kept / 2] = 0
        rung = fft.irfft(rows, n, axis=axis, overwrite_x=True)
    return _corrupted(image, np.abs(rung), brain)


@dataclass(frozen=True)
class Blur:
    """A Gaussian smoothing, standard deviation along x, y and z in mm."""

    sd_mm: Three

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_blur(rng: np.random.Generator, severity: float) -> Blur:
    """Draw a blur, at an asked `severity` of 0 to 2 roughly; in half the draws along one axis alone."""
    sd = 0.8 * severity * np.exp(rng.normal(0, 0.3, 3))
    if rng.random() < 0.5:
        sd[np.arange(3) != rng.integers(3)] = 0
    return Blur((float(sd[0]), float(sd[1]), float(sd[2])))


def apply_blur(image: Float32, blur: Blur, spacing_mm: Three, brain: Mask | None = None) -> Corrupted:
    """Smooth; 0.1 s an axis for 192x224x192."""
    sd = np.asarray(blur.sd_mm) / np.asarray(spacing_mm)
    smooth = ndimage.gaussian_filter(image, sd, mode="nearest", truncate=3.0)
    return _corrupted(image, smooth, brain)


def _corrupted(before: Float32, after: Float32, brain: Mask | None) -> Corrupted:
    after = after.astype(np.float32, copy=False)
    return Corrupted(after, change_in(before, after, not_air(before) if brain is None else brain))
