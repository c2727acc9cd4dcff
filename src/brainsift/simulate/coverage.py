"""What of the head the scan shows: a cut field of view, a stripped skull, a removed face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BRAIN_HALF_MM = (68.0, 84.0, 64.0)
"""Half the extent of an adult brain along x, y, z; cuts are drawn relative to it."""


@dataclass(frozen=True)
class Coverage:
    """One drawn coverage.

    Attributes
    ----------
    low_mm, high_mm : (3,), limits of the field of view about the brain's centre; beyond them the image is 0.
    strip : ``none``, ``brain`` (brain alone) or ``csf`` (brain with its CSF).
    strip_margin_mm : brain mask grown (+) or eaten (-) when stripped.
    deface : whether the lower front of the head is set to 0.
    deface_offset_mm : how far the cutting plane lies from the usual place (+ towards the brain).
    """

    low_mm: tuple[float, float, float]
    high_mm: tuple[float, float, float]
    strip: str
    strip_margin_mm: float
    deface: bool
    deface_offset_mm: float


WHOLE = Coverage((-999.0, -999.0, -999.0), (999.0, 999.0, 999.0), "none", 0.0, False, 0.0)


def draw_coverage(rng: np.random.Generator, cut: float = 0.2, strip: float = 0.15, deface: float = 0.12) -> Coverage:
    """Draw a coverage; `cut`, `strip` and `deface` are the shares of scans that have each."""
    low, high = np.full(3, -999.0), np.full(3, 999.0)
    if rng.random() < 0.5:
        low[2] = -rng.uniform(75, 130)
    if rng.random() < cut:
        for _ in range(int(rng.integers(1, 3))):
            axis = int(rng.choice(3, p=[0.15, 0.25, 0.6]))
            limit = BRAIN_HALF_MM[axis] * rng.uniform(0.1, 1.2)
            if rng.random() < 0.5:
                low[axis] = -limit
            else:
                high[axis] = limit
    stripped = rng.random() < strip
    return Coverage(
        low_mm=(float(low[0]), float(low[1]), float(low[2])),
        high_mm=(float(high[0]), float(high[1]), float(high[2])),
        strip=str(rng.choice(["brain", "csf"])) if stripped else "none",
        strip_margin_mm=float(rng.choice([-2.0, 0.0, 2.0])) if stripped else 0.0,
        deface=bool(not stripped and rng.random() < deface),
        deface_offset_mm=float(rng.uniform(-15, 10)),
    )


def keep_mask(
    brain: NDArray[np.bool_], csf: NDArray[np.bool_], centre: NDArray[np.float64], coverage: Coverage, spacing_mm: float
) -> NDArray[np.bool_]:
    """Voxels that the scan shows, bool (X, Y, Z). `centre` is the brain's centre in voxels."""
    from scipy import ndimage

    keep = np.ones(brain.shape, bool)
    for axis in range(3):
        at = (np.arange(brain.shape[axis]) - centre[axis]) * spacing_mm
        inside = (at >= coverage.low_mm[axis]) & (at <= coverage.high_mm[axis])
        keep &= inside.reshape([-1 if i == axis else 1 for i in range(3)])
    if coverage.strip != "none":
        mask = brain | csf if coverage.strip == "csf" else brain
        steps = round(abs(coverage.strip_margin_mm) / spacing_mm)
        if steps and coverage.strip_margin_mm > 0:
            mask = ndimage.binary_dilation(mask, iterations=steps)
        elif steps:
            mask = ndimage.binary_erosion(mask, iterations=steps)
        keep &= mask
    if coverage.deface:
        y = (np.arange(brain.shape[1]) - centre[1]) * spacing_mm
        z = (np.arange(brain.shape[2]) - centre[2]) * spacing_mm
        plane = 0.6 * (y[:, None] - 35) - (z[None] + 30) - coverage.deface_offset_mm
        keep &= ~((plane > 15) & (y[:, None] > 20))[None]
    return keep
