"""Small movements while the lines of a complex image's k-space are taken."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Complex64 = NDArray[np.complex64]


@dataclass(frozen=True)
class Shake:
    """A head that drifts, nods and twitches along the phase-encoded axis.

    Attributes
    ----------
    axis : phase-encoded.
    drift_mm, nod_mm, twitch_mm : over the whole scan, amplitude of a slow swing, height of a lasting jerk.
    cycles, when : swings in a scan; when the jerk comes, 0 to 1.
    """

    axis: int
    drift_mm: float
    nod_mm: float
    twitch_mm: float
    cycles: float
    when: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_shake(rng: np.random.Generator, slice_axis: int) -> Shake:
    """Draw a movement of up to a millimetre or so."""
    most = float(rng.uniform(0.15, 1.0))
    return Shake(
        axis=int(rng.choice([axis for axis in range(3) if axis != slice_axis])),
        drift_mm=float(rng.uniform(-most, most)),
        nod_mm=float(rng.uniform(0, most / 2)),
        twitch_mm=float(rng.uniform(-most, most)),
        cycles=float(rng.uniform(2, 30)),
        when=float(rng.uniform(0.1, 0.45)),
    )


def shake_image(signal: Complex64, shake: Shake, voxel_mm: float) -> Complex64:
    """The image of a head that moved: each line of k-space is taken where the head was then (linear order)."""
    n = signal.shape[shake.axis]
    frequency = fft.fftfreq(n)
    time = frequency + 0.5
    away = shake.drift_mm * (time - 0.5) + shake.nod_mm * np.sin(2 * np.pi * shake.cycles * time)
    away = away + np.where(time < shake.when, shake.twitch_mm, 0.0)
    turn = np.exp(-2j * np.pi * frequency * away / voxel_mm).astype(np.complex64)
    lines = fft.fft(signal, axis=shake.axis)
    lines *= turn.reshape([-1 if axis == shake.axis else 1 for axis in range(3)])
    moved: Complex64 = fft.ifft(lines, axis=shake.axis, overwrite_x=True)
    return moved
