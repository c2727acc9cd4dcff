"""Fine structure that label maps lack: fibres of muscle, septa of fat, trabeculae of bone, folia of the cerebellum.

A label has one grey value, so that on painted heads any fine stripe is an artefact. Real heads are full of stripes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

TILE = 72
"""Voxels along the sides of the block that is repeated: no slice shows two places of it that look alike."""

PATCH_MM = 22.0
"""Over which one direction gives way to another."""

PATTERNS = 3

FOLIA = (7, 8, 46, 47)
"""Cerebellum, white matter and cortex."""

OUTSIDE = (500, 1000)
"""Labels of tissues outside of the brain, first and one past the last."""


@dataclass(frozen=True)
class FineStructure:
    """One drawn set of patterns.

    Attributes
    ----------
    outside, folia : standard deviation of the logarithm of grey values outside of the brain and in the cerebellum.
    period_mm : from stripe to stripe, of each pattern.
    directions : across the stripes, a unit vector (3,) of each pattern.
    concentration : of each pattern; 0 is a pattern without direction, 8 are straight stripes.
    seed : of the random fields.
    """

    outside: float
    folia: float
    period_mm: tuple[float, ...]
    directions: tuple[tuple[float, float, float], ...]
    concentration: tuple[float, ...]
    seed: int


def draw_fine_structure(rng: np.random.Generator) -> FineStructure:
    """Draw patterns: in one of four heads next to nothing shows."""
    shown = rng.random() < 0.75
    across = rng.standard_normal((PATTERNS, 3))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return FineStructure(
        outside=float(rng.uniform(0.1, 0.55) if shown else rng.uniform(0, 0.1)),
        folia=float(rng.uniform(0.03, 0.2) if shown else 0.0),
        period_mm=tuple(rng.uniform(1.8, 7.0, PATTERNS).tolist()),
        directions=tuple((float(x), float(y), float(z)) for x, y, z in across),
        concentration=tuple(rng.choice([0.0, 1.0, 3.0, 8.0], PATTERNS).tolist()),
        seed=int(rng.integers(2**31)),
    )


def apply_fine_structure(
    tissue: Float32,
    codes: NDArray[np.uint8],
    values: NDArray[np.int64],
    drawn: FineStructure,
    spacing_mm: float,
) -> Float32:
    """Modulate the grey values of a painted head, (X, Y, Z); 0.3 s for 192x224x192.

    Parameters
    ----------
    codes, values : label of each voxel, as index into `values`.
    """
    outside = (values >= OUTSIDE[0]) & (values < OUTSIDE[1])
    amount = np.where(outside, drawn.outside, np.where(np.isin(values, FOLIA), drawn.folia, 0.0)).astype(np.float32)
    if not amount.any():
        return tissue
    structured: Float32 = tissue * np.exp(amount[codes] * pattern(drawn, codes.shape, spacing_mm))
    return structured


def pattern(drawn: FineStructure, shape: tuple[int, int, int], spacing_mm: float) -> Float32:
    """Field of about unit standard deviation, (X, Y, Z): patches of patterns side by side, and none in some."""
    rng = np.random.default_rng(drawn.seed)
    patches = [spline_field(rng, shape, PATCH_MM / spacing_mm) for _ in range(2)]
    first, second = patches[0] > 0, patches[1] > 0
    shares = (first, ~first & second, ~first & ~second)
    field = np.zeros(shape, np.float32)
    for share, period, across, concentration in zip(
        shares, drawn.period_mm, drawn.directions, drawn.concentration, strict=True
    ):
        tile = _tile(rng, max(period / spacing_mm, 2.0), np.asarray(across), concentration)
        places = (np.arange(n) + int(rng.integers(TILE)) for n in shape)
        np.copyto(field, tile[np.ix_(*(at % TILE for at in places))], where=share)
    # Strong in some places and weak in others, as tissues are.
    return field * np.abs(patches[0])


def _tile(rng: np.random.Generator, period: float, across: Float64, concentration: float) -> Float32:
    """Noise of one wavelength that repeats without a seam, (TILE, TILE, TILE), of unit standard deviation."""
    steps = np.fft.fftfreq(TILE)
    kx, ky, kz = np.meshgrid(steps, steps, np.fft.rfftfreq(TILE), indexing="ij", sparse=True)
    radius = np.sqrt(kx**2 + ky**2 + kz**2)
    band = np.exp(-0.5 * ((radius - 1 / period) * period / 0.35) ** 2)
    along = np.abs(kx * across[0] + ky * across[1] + kz * across[2]) / np.maximum(radius, 1e-6)
    noise = np.fft.rfftn(rng.standard_normal((TILE, TILE, TILE), dtype=np.float32))
    tile = np.fft.irfftn(noise * band * along**concentration, s=(TILE,) * 3, axes=(0, 1, 2)).astype(np.float32)
    scaled: Float32 = tile / max(float(tile.std()), 1e-6)
    return scaled
