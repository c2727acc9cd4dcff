"""Small round sources of field, bleeds and calcifications: what they do to the signal around them, in closed form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.susceptibility.grid import Grid
from brainsift.simulate.susceptibility.physics import radians_per_ppm, sphere_field
from brainsift.simulate.susceptibility.scanner import Scanner

Complex64 = NDArray[np.complex64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Box = tuple[slice, slice, slice]
Triple = tuple[float, float, float]

DECAY_PER_PPM_T = 45.0
"""Extra R2* inside, 1/s for each ppm and tesla: 137 at 3 T, as measured in deep grey matter (Shin 2021, NeuroImage
240:118371)."""

LEAST_PHASE = 0.06
"""Radians below which a source's far field is left out: less than the noise of a scan."""

MAX_REACH_MM = 14.0
POINT_MM = 0.3
"""Between the points at which the signal within a voxel is taken, near the source."""

NEAR_RADII = 3.0
"""Beyond so many radii the field is smooth over a voxel and one point does."""


@dataclass(frozen=True)
class Ball:
    """Part of a source: offset from its centre and radius, mm."""

    offset_mm: Triple
    radius_mm: float


@dataclass(frozen=True)
class Blob:
    """A bleed or a calcification.

    Attributes
    ----------
    at : (3,), centre in voxels of the head's grid.
    balls : that make it up.
    chi_ppm : over the tissue around; below 0 for calcium.
    water : signal of what is inside relative to tissue, before it decays.
    kind : ``bleed`` or ``calcification``.
    place, region : where it lies, coarse and fine.
    """

    at: Triple
    balls: tuple[Ball, ...]
    chi_ppm: float
    water: float
    kind: str
    place: str
    region: str

    @property
    def radius_mm(self) -> float:
        """Of the ball of the same volume, were the parts not to overlap."""
        return float(sum(ball.radius_mm**3 for ball in self.balls) ** (1 / 3))

    @property
    def diameter_mm(self) -> float:
        """Of the ball of the same volume."""
        return 2 * self.radius_mm

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Spot:
    """What a source does on the fine grid.

    Attributes
    ----------
    box : in the fine grid, in whole slices.
    factor : complex64, by which the signal changes.
    share : float32, of each voxel that the source fills.
    """

    box: Box
    factor: Complex64
    share: Float32


def make_spot(blob: Blob, grid: Grid, scanner: Scanner) -> Spot | None:
    """Signal within and around a source on the fine grid; None where it lies outside."""
    per_ppm = radians_per_ppm(scanner.field_t, scanner.te_ms)
    centre = grid.to_fine(np.asarray(blob.at))
    reach = _reach(blob, per_ppm)
    box = _box(centre, reach, grid, grid.sheets)
    if box is None:
        return None
    factor, share = _average(blob, grid, scanner, centre, box, points=False)
    near = _box(centre, min(reach, NEAR_RADII * blob.radius_mm + 1.0), grid, 1)
    if near is not None:
        inner = tuple(slice(n.start - b.start, n.stop - b.start) for n, b in zip(near, box, strict=True))
        factor[inner], share[inner] = _average(blob, grid, scanner, centre, near, points=True)
    return Spot(box, factor, share)


def _reach(blob: Blob, per_ppm: float) -> float:
    at_surface = per_ppm * abs(blob.chi_ppm) * 2 / 3
    far = float(max(1.0, at_surface / LEAST_PHASE)) ** (1 / 3)
    return float(min(MAX_REACH_MM, blob.radius_mm * far))


def _box(centre: Float64, reach_mm: float, grid: Grid, sheets: int) -> Box | None:
    """Fine voxels within reach of a centre, in whole slices if `sheets` is theirs."""
    box = []
    for axis, (c, mm, n) in enumerate(zip(centre, grid.fine_mm, grid.fine_shape, strict=True)):
        low, high = int(np.floor(c - reach_mm / mm)), int(np.ceil(c + reach_mm / mm)) + 1
        step = sheets if axis == grid.slice_axis else 1
        low, high = max(0, low // step * step), min(n, -(-high // step) * step)
        if low >= high:
            return None
        box.append(slice(low, high))
    return box[0], box[1], box[2]


def _average(
    blob: Blob, grid: Grid, scanner: Scanner, centre: Float64, box: Box, *, points: bool
) -> tuple[Complex64, Float32]:
    """Signal relative to that without the source, and its share, averaged over points in each voxel of the box."""
    mm = np.asarray(grid.fine_mm)
    counts = np.maximum(1, np.ceil(mm / POINT_MM - 1e-6)).astype(int) if points else np.ones(3, int)
    inside = [(np.arange(n) + 0.5) / n - 0.5 for n in counts]
    axes = [
        ((np.arange(b.start, b.stop)[:, None] + sub[None] - c) * size).ravel().astype(np.float32)
        for b, sub, c, size in zip(box, inside, centre, mm, strict=True)
    ]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    field = np.zeros(offsets.shape[:3], np.float32)
    filled = np.zeros(offsets.shape[:3], bool)
    for ball in blob.balls:
        away = offsets - np.asarray(ball.offset_mm, np.float32)
        field += sphere_field(away, ball.radius_mm, blob.chi_ppm, scanner.b0)
        filled |= (away * away).sum(axis=-1) < ball.radius_mm**2
    decay = np.exp(-scanner.te_ms / 1000 * DECAY_PER_PPM_T * scanner.field_t * abs(blob.chi_ppm))
    size_of = np.where(filled, np.float32(blob.water * decay), np.float32(1))
    signal = size_of * np.exp(1j * np.float32(radians_per_ppm(scanner.field_t, scanner.te_ms)) * field)
    blocks = [part for b, n in zip(box, counts, strict=True) for part in (b.stop - b.start, int(n))]
    factor = signal.reshape(blocks).mean(axis=(1, 3, 5)).astype(np.complex64)
    return factor, filled.reshape(blocks).mean(axis=(1, 3, 5), dtype=np.float32)
