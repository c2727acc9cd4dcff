"""How a head is scanned: field strength, times, voxels, noise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Float64 = NDArray[np.float64]
Triple = tuple[float, float, float]

FIELDS_T = (1.5, 3.0, 7.0)
FIELD_SHARES = (0.27, 0.65, 0.08)

TE_MS = {1.5: (25.0, 45.0), 3.0: (13.0, 28.0), 7.0: (9.0, 20.0)}
"""Echo times that sites use for T2*-weighted and susceptibility-weighted imaging (Greenberg 2009, Lancet Neurol 8:165;
Haacke 2009, AJNR 30:19)."""

PLANE_SHARES = (0.05, 0.07, 0.88)
"""Sagittal, coronal, axial."""


@dataclass(frozen=True)
class Scanner:
    """One drawn acquisition.

    Attributes
    ----------
    field_t, te_ms, tr_ms, flip_deg : of the spoiled gradient echo.
    voxel_mm : (3,), from voxel to voxel, along x, y, z of the grid.
    slice_axis : 0 sagittal, 1 coronal, 2 axial.
    gap_mm : part of a slice's pitch that is not seen.
    tilt_deg : (3,), of the grid in the scanner; the main field points along the scanner's z.
    blur_voxels : standard deviation of the point spread in the plane of the slices.
    noise : standard deviation of the complex noise relative to the brightest tissue of the brain.
    bias : standard deviation of the logarithm of the bias field.
    seed : of noise and bias.
    """

    field_t: float
    te_ms: float
    tr_ms: float
    flip_deg: float
    voxel_mm: Triple
    slice_axis: int
    gap_mm: float
    tilt_deg: Triple
    blur_voxels: float
    noise: float
    bias: float
    seed: int

    @property
    def turn(self) -> Float64:
        """Rotation (3, 3) from the grid's axes to the scanner's."""
        turn: Float64 = Rotation.from_euler("xyz", self.tilt_deg, degrees=True).as_matrix()
        return turn

    @property
    def b0(self) -> Float64:
        """Unit vector of the main field along the grid's axes, (3,)."""
        field: Float64 = self.turn.T @ np.array([0.0, 0.0, 1.0])
        return field

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_scanner(
    rng: np.random.Generator,
    voxel_mm: Triple | None = None,
    slice_axis: int | None = None,
) -> Scanner:
    """Draw an acquisition; voxel and slice axis may be given.

    Raises
    ------
    ValueError
        if a voxel is not positive or the axis is not 0, 1 or 2.
    """
    if voxel_mm is not None and (len(voxel_mm) != 3 or not all(0.2 <= v <= 10 for v in voxel_mm)):
        raise ValueError(f"voxel_mm must be three sizes of 0.2 to 10 mm, got {voxel_mm}")
    if slice_axis not in (None, 0, 1, 2):
        raise ValueError(f"slice_axis must be 0, 1 or 2, got {slice_axis}")
    field = float(rng.choice(FIELDS_T, p=FIELD_SHARES))
    axis = int(rng.choice(3, p=PLANE_SHARES))
    in_plane, pitch = _draw_voxel(rng)
    if voxel_mm is not None:
        axis = int(np.argmax(voxel_mm)) if max(voxel_mm) > 1.2 * float(np.median(voxel_mm)) else 2
    axis = axis if slice_axis is None else slice_axis
    voxel = [in_plane] * 3
    voxel[axis] = pitch
    x, y, z = (float(v) for v in (voxel if voxel_mm is None else voxel_mm))
    pitch = (x, y, z)[axis]
    thick = pitch > 2.5
    tr = float(rng.uniform(400, 900) if thick and rng.random() < 0.8 else rng.uniform(25, 60))
    tilt = np.clip(rng.normal(0, (9, 4, 3)), -20, 20) if rng.random() < 0.6 else np.zeros(3)
    return Scanner(
        field_t=field,
        te_ms=float(rng.uniform(*TE_MS[field])),
        tr_ms=tr,
        flip_deg=float(rng.uniform(15, 30) if tr > 100 else rng.uniform(9, 20)),
        voxel_mm=(x, y, z),
        slice_axis=axis,
        gap_mm=float(pitch * rng.uniform(0.05, 0.25)) if thick and rng.random() < 0.6 else 0.0,
        tilt_deg=(float(tilt[0]), float(tilt[1]), float(tilt[2])),
        blur_voxels=float(rng.uniform(0.3, 0.8)),
        noise=float(1 / np.exp(rng.uniform(np.log(9), np.log(45)))),
        bias=float(rng.uniform(0, 0.3)),
        seed=int(rng.integers(2**31)),
    )


def _draw_voxel(rng: np.random.Generator) -> tuple[float, float]:
    """Pixel size and pitch of the slices, mm."""
    kind = rng.random()
    if kind < 0.55:
        return float(rng.uniform(0.5, 0.95)), float(rng.uniform(1.0, 2.0))
    if kind < 0.7:
        return float(rng.uniform(0.8, 1.0)), float(rng.uniform(1.0, 1.5))
    if kind < 0.8:
        return float(rng.uniform(0.6, 1.0)), float(rng.uniform(2.0, 3.0))
    return float(rng.uniform(0.5, 1.0)), float(rng.uniform(3.0, 5.0))
