"""Oblique stacks of slices through a head: what a 2D FLAIR sees, and what is drawn on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainsift.scans.conform import axis_weights, separable

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

PLANES = {
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
}
"""Where rows, columns and slices point in the head (right, front, up), before the tilt; right-handed."""

PLANE_SHARES = (0.86, 0.07, 0.07)

MAX_TILT_DEG = 20.0
"""Slices are laid along the line of both commissures, which a head seldom lies along."""

BRAIN_ROOM_MM = 6.0
"""Slices go on so far above and below the brain."""


@dataclass(frozen=True)
class SliceGeometry:
    """A stack of slices.

    Attributes
    ----------
    plane : ``axial``, ``coronal`` or ``sagittal``.
    tilt_deg : (3,), of the stack about x, y and z.
    in_plane_mm : pixel size.
    thickness_mm, gap_mm : of a slice, and from one to the next; what lies in a gap is not seen.
    offset_mm : of the first slice, along the stack.
    misplaced_mm, misplaced_deg : (3,), error of the affine that is written: what registration to the T1w left.
    """

    plane: str
    tilt_deg: tuple[float, float, float]
    in_plane_mm: float
    thickness_mm: float
    gap_mm: float
    offset_mm: float
    misplaced_mm: tuple[float, float, float]
    misplaced_deg: tuple[float, float, float]

    @property
    def pitch_mm(self) -> float:
        """From the middle of one slice to that of the next."""
        return self.thickness_mm + self.gap_mm

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_slices(rng: np.random.Generator, *, thick: bool = True, misplaced: float = 1.0) -> SliceGeometry:
    """Draw a stack of 2D slices of 3 to 6 mm with gaps up to 2 mm, or a 3D FLAIR of about 1 mm if not `thick`.

    Parameters
    ----------
    misplaced : 1 for errors of registration up to 2 mm and 2 degrees, 0 for none.
    """
    in_plane = float(rng.uniform(0.6, 1.1))
    thickness = float(rng.choice([3.0, 4.0, 5.0, 5.0, 6.0]) if rng.random() < 0.7 else rng.uniform(3, 6))
    gap = float(rng.choice([0.5, 1.0, 1.5, 2.0])) if rng.random() < 0.5 else 0.0
    if not thick:
        in_plane = float(rng.uniform(0.8, 1.2))
        thickness, gap = in_plane if rng.random() < 0.5 else float(rng.uniform(0.9, 1.5)), 0.0
    tilt = np.clip(rng.normal(0, (8, 4, 4)), -MAX_TILT_DEG, MAX_TILT_DEG)
    length = float(rng.uniform(0, 2.0)) * misplaced
    away = rng.standard_normal(3)
    turn = rng.uniform(-2, 2, 3) / np.sqrt(3) * misplaced
    return SliceGeometry(
        plane=str(rng.choice(tuple(PLANES), p=PLANE_SHARES)) if thick else "sagittal",
        tilt_deg=_triple(tilt if thick else tilt * 0),
        in_plane_mm=in_plane,
        thickness_mm=thickness,
        gap_mm=gap,
        offset_mm=float(rng.uniform(0, thickness + gap)),
        misplaced_mm=_triple(away / np.linalg.norm(away) * length),
        misplaced_deg=_triple(turn),
    )


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices laid through a fine grid: `see` averages any map of that grid over them.

    Attributes
    ----------
    to_fine : 4x4, voxel of a grid of the fine spacing, along the stack's axes, → fine voxel.
    shape : of that grid.
    weights : from that grid to pixels and slices, one matrix an axis.
    affine : 4x4, voxel of the stack → fine voxel, where it truly is.
    """

    to_fine: Float64
    shape: tuple[int, int, int]
    weights: list[Float32]
    affine: Float64

    def see(self, fine: Float32) -> Float32:
        """Average a map (X, Y, Z) of the fine grid over pixels and slices, float32 (rows, columns, slices); 0.4 s."""
        turned = np.zeros(self.shape, np.float32)
        part = self._part_of(fine)
        first = self.to_fine[:3, :3] @ [s.start for s in part] + self.to_fine[:3, 3]
        there = turned[part]
        if there.size:
            ndimage.affine_transform(fine, self.to_fine[:3, :3], first, there.shape, order=1, output=there)
        return np.ascontiguousarray(separable(turned, self.weights))

    def _part_of(self, fine: Float32) -> tuple[slice, slice, slice]:
        """The box of the turned grid on which a map is not 0: a few lesions take a fraction of the time of a head."""
        found = ndimage.find_objects((fine != 0).astype(np.uint8))
        if not found:
            return (slice(0, 0),) * 3
        ends = np.array([[s.start - 1, s.stop] for s in found[0]], float)
        corners = np.stack(np.meshgrid(*ends, indexing="ij")).reshape(3, -1)
        back = np.linalg.inv(self.to_fine)
        at = back[:3, :3] @ corners + back[:3, 3:]
        low, high = np.floor(at.min(axis=1)).astype(int), np.ceil(at.max(axis=1)).astype(int) + 1
        x, y, z = (slice(max(0, a), max(0, min(n, b))) for a, b, n in zip(low, high, self.shape, strict=True))
        return x, y, z


def lay_slices(
    geometry: SliceGeometry, shape: tuple[int, ...], spacing_mm: float, brain: tuple[slice, slice, slice]
) -> Stack:
    """Lay a stack around the middle of the brain.

    Parameters
    ----------
    shape, spacing_mm : of the fine grid.
    brain : box of the brain in it; slices cover the brain, pixels cover the grid.
    """
    turn = Rotation.from_euler("xyz", geometry.tilt_deg, degrees=True).as_matrix()
    axes = turn @ np.asarray(PLANES[geometry.plane], float).T
    ends = np.array([[s.start, s.stop - 1] for s in brain], float)
    middle = ends.mean(axis=1)
    low, high = _extent(axes, np.array([[0, n - 1] for n in shape], float), middle, spacing_mm)
    brain_low, brain_high = _extent(axes, ends, middle, spacing_mm)
    low[2], high[2] = brain_low[2] - BRAIN_ROOM_MM, brain_high[2] + BRAIN_ROOM_MM
    counts = np.ceil((high - low) / spacing_mm).astype(int) + 1
    to_fine = np.eye(4)
    to_fine[:3, :3] = axes
    to_fine[:3, 3] = middle + axes @ low / spacing_mm
    grid = (int(counts[0]), int(counts[1]), int(counts[2]))
    steps = (geometry.in_plane_mm, geometry.in_plane_mm, geometry.pitch_mm)
    weights, affine = [], np.eye(4)
    for axis, (n, step) in enumerate(zip(grid, steps, strict=True)):
        offset = geometry.offset_mm if axis == 2 else 0.0
        count = max(1, int((n * spacing_mm - offset) / step))
        width = geometry.thickness_mm if axis == 2 else step
        weights.append(_profile(n, spacing_mm, count, step, width, offset))
        affine[axis, axis] = step / spacing_mm
        affine[axis, 3] = (offset + step / 2) / spacing_mm - 0.5
    return Stack(to_fine, grid, weights, to_fine @ affine)


def misplace(affine: Float64, geometry: SliceGeometry, about_mm: Float64) -> Float64:
    """The affine (4, 4) in mm that is written: the true one turned about a point and shifted by the error."""
    error = np.eye(4)
    error[:3, :3] = Rotation.from_euler("xyz", geometry.misplaced_deg, degrees=True).as_matrix()
    error[:3, 3] = about_mm - error[:3, :3] @ about_mm + np.asarray(geometry.misplaced_mm)
    moved: Float64 = error @ affine
    return moved


def _profile(n: int, spacing_mm: float, count: int, step_mm: float, width_mm: float, start_mm: float) -> Float32:
    """Average over `width_mm` in the middle of each step, (count, n); what lies between is left out."""
    if width_mm == step_mm:
        return axis_weights(n, spacing_mm, count, step_mm, start_mm)
    rows = [
        axis_weights(n, spacing_mm, 1, width_mm, start_mm + i * step_mm + (step_mm - width_mm) / 2)
        for i in range(count)
    ]
    return np.concatenate(rows)


def _extent(axes: Float64, ends: Float64, middle: Float64, spacing_mm: float) -> tuple[Float64, Float64]:
    """Lowest and highest place of a box along the axes, mm from `middle`, two (3,)."""
    corners = np.stack(np.meshgrid(*ends, indexing="ij")).reshape(3, -1) - middle[:, None]
    along = axes.T @ corners * spacing_mm
    return along.min(axis=1), along.max(axis=1)


def _triple(values: Float64) -> tuple[float, float, float]:
    return (float(values[0]), float(values[1]), float(values[2]))
