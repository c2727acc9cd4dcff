"""Motion during a scan: each line of k-space sees the head where it was when the line was taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.spatial.transform import Rotation

from brainsift.simulate.artefacts.course import STILL, Motion, draw_motion, line_times, positions
from brainsift.simulate.artefacts.measures import change_in, not_air
from brainsift.simulate.artefacts.turn import turn

__all__ = ["STILL", "Motion", "Moved", "apply_motion", "draw_motion"]

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Complex64 = NDArray[np.complex64]

MAX_STATES = 6
"""Rotations that are told apart, the reference included: each further one costs 0.3 s (192x224x192)."""

SAME_ROTATION_DEG = 0.1
"""Rotations closer than this are one: 0.15 mm at the brain's surface, a seventh of a voxel."""

ROUNDING_MM = 1e-9
"""Shifts below come from rounding: a head at rest must cost and change nothing."""

MARGIN_MM = 14.0
"""Room added around the volume, so that what moves out on one side does not come in on the other."""

SAMPLED_POINTS = 1500
"""Points of the brain over which displacement is averaged; doubling them changes it by less than 1 %."""


@dataclass(frozen=True, eq=False)
class Moved:
    """An image with what motion did to it.

    Attributes
    ----------
    image : float32 (X, Y, Z), magnitude.
    displacement_mm : displacement of the brain relative to where it was when the centre of k-space was taken, averaged
        over the brain and over the lines, each line weighted by its energy times its frequency (see `line_weights`).
    change : root mean square of the change in the brain relative to that of the image there.
    """

    image: Float32
    displacement_mm: float
    change: float


@dataclass(frozen=True, eq=False)
class _Path:
    """Where the head is: states (s, 3) in degrees about x, y, z; each line's state (n,) and shift (n, 3) in mm."""

    states: Float64
    state: NDArray[np.int64]
    shift_mm: Float64


def apply_motion(
    image: Float32,
    motion: Motion,
    spacing_mm: tuple[float, float, float],
    brain: NDArray[np.bool_] | None = None,
) -> Moved:
    """Move the head while its k-space is taken line by line.

    The image stays where the head was when the centre of k-space was taken, so labels still fit. Shifts are exact per
    line; rotations are joined into `MAX_STATES` at the most, and the displacement is that of the joined ones.
    Up to 2 s for 192x224x192 on one core (0.1 s at rest, 0.4 s without rotation).

    Parameters
    ----------
    image : (X, Y, Z), RAS+, 0 or more.
    spacing_mm : (3,), voxel size.
    brain : mask (X, Y, Z); what is not air, if None.

    Raises
    ------
    ValueError
        if `brain` has another shape than the image or is empty.
    """
    brain = not_air(image) if brain is None else brain
    if brain.shape != image.shape or not brain.any():
        raise ValueError(f"brain must be a mask of shape {image.shape} with voxels in it, got {brain.shape}")
    spacing = np.asarray(spacing_mm, float)
    points = _points(brain, spacing)
    padded, box = _pad(image, spacing)
    axis, n = motion.axis, padded.shape[motion.axis]
    still = fft.rfft(padded, axis=axis)
    weight = line_weights(still, axis, n)
    path = _path(motion, n, points.mean(axis=0), weight)
    if len(path.states) == 1 and not path.shift_mm.any():
        return Moved(image.astype(np.float32), 0.0, 0.0)
    lines = _collect(padded, still, path, axis, spacing_mm)
    _shift(lines, path.shift_mm / spacing, axis)
    moved = np.abs(fft.ifftn(lines, overwrite_x=True))[box]
    return Moved(moved, _displacement(path, points, weight), change_in(image, moved, brain))


def line_weights(rows: Complex64, axis: int, n: int) -> Float64:
    """Share of each line in what motion can do to the image, frequencies as `fft.fftfreq`, (n,).

    Energy times frequency. Energy alone is all at the lowest frequencies, where a shift of a millimetre changes
    nothing: of 60 movements of a real head, displacements so weighted ranked with the change of the image at 0.92
    (Spearman), at 0.82 by energy alone, at 0.89 by energy times frequency squared (docs/simulate.md).
    """
    others = tuple(a for a in range(3) if a != axis)
    half = (rows.real**2 + rows.imag**2).sum(axis=others, dtype=np.float64)
    frequency = np.abs(np.round(fft.fftfreq(n) * n).astype(int))
    weight = half[frequency] * frequency
    total = weight.sum()
    return np.asarray(weight / total if total > 0 else np.full(n, 1 / n))


def _path(motion: Motion, n: int, centre: Float64, weight: Float64) -> _Path:
    """Positions relative to the reference, per line; shifts are those of the brain's centre."""
    at = np.fft.ifftshift(positions(motion, n)[line_times(motion, n)], axes=0)
    pivot = np.asarray(motion.pivot_mm)
    turned = Rotation.from_euler("xyz", at[:, 3:], degrees=True)
    back = turned[0].inv()
    relative = turned * back
    start = back.apply(centre - pivot - at[0, :3])
    there = turned.apply(start) + pivot + at[:, :3]
    angles = relative.as_euler("xyz", degrees=True)
    states, state = join_rotations(angles, weight)
    origin = Rotation.from_euler("xyz", states[state], degrees=True).apply(centre)
    shift = there - origin
    shift[np.abs(shift) < ROUNDING_MM] = 0
    return _Path(states, state, shift)


def join_rotations(angles_deg: Float64, weight: Float64) -> tuple[Float64, NDArray[np.int64]]:
    """Join the rotations (n, 3) into few; the first state is none, others are means of what they join.

    Starts from the rotation farthest from all states so far, until none is farther than `SAME_ROTATION_DEG`.

    Returns
    -------
    states (s, 3), index of each line's state (n,).
    """
    weight = np.sqrt(weight) + 1e-6
    states = np.zeros((1, 3))
    while True:
        gap = np.linalg.norm(angles_deg[:, None] - states[None], axis=2)
        state = gap.argmin(axis=1)
        for s in range(1, len(states)):
            if (state == s).any():
                states[s] = np.average(angles_deg[state == s], axis=0, weights=weight[state == s])
        nearest = gap.min(axis=1)
        if len(states) == MAX_STATES or nearest.max() <= SAME_ROTATION_DEG:
            return states, state
        worst = (nearest - SAME_ROTATION_DEG).clip(0) * weight
        states = np.vstack([states, angles_deg[worst.argmax()]])


def _collect(padded: Float32, still: Complex64, path: _Path, axis: int, spacing_mm: tuple[float, ...]) -> Complex64:
    """Transform along `axis` of the head in each line's state, frequencies as `fft.fftfreq` along that axis."""
    n = padded.shape[axis]
    frequency = np.round(fft.fftfreq(n) * n).astype(int)
    out = np.empty(padded.shape, np.complex64)
    to = np.moveaxis(out, axis, 0)
    sx, sy, sz = spacing_mm
    for s, (x, y, z) in enumerate(path.states.tolist()):
        chosen = np.flatnonzero(path.state == s)
        if not chosen.size:
            continue
        rows = still if s == 0 else fft.rfft(turn(padded, (x, y, z), (sx, sy, sz)), axis=axis)
        rows = np.moveaxis(rows, axis, 0)
        for line in chosen:
            # The image is real, so a line with negative frequency is the conjugate of its twin before the others' sign.
            k = frequency[line]
            to[line] = rows[k] if k >= 0 else rows[-k].conj()
    return out


def _shift(lines: Complex64, shift: Float64, axis: int) -> None:
    """Finish the transform of the lines in place, and shift each by its own (n, 3) voxels."""
    others = [a for a in range(3) if a != axis]
    lines[...] = fft.fft2(lines, axes=others, overwrite_x=True)
    planes = np.moveaxis(lines, axis, 0)
    along = fft.fftfreq(lines.shape[axis]) * shift[:, axis]
    first, second = (fft.fftfreq(lines.shape[a]) for a in others)
    for line in np.flatnonzero(np.abs(shift).max(axis=1) > 0):
        u = np.exp(-2j * np.pi * (first * shift[line, others[0]] + along[line])).astype(np.complex64)
        v = np.exp(-2j * np.pi * second * shift[line, others[1]]).astype(np.complex64)
        planes[line] *= u[:, None] * v[None]


def _displacement(path: _Path, points: Float64, weight: Float64) -> float:
    """Mean over points and, weighted, over lines, mm."""
    total = 0.0
    for s, angles in enumerate(path.states):
        rotated = Rotation.from_euler("xyz", angles, degrees=True).apply(points) - points
        for line in np.flatnonzero(path.state == s):
            total += weight[line] * float(np.linalg.norm(rotated + path.shift_mm[line], axis=1).mean())
    return float(total)


def _points(brain: NDArray[np.bool_], spacing: Float64) -> Float64:
    """Some of the mask's voxels, mm about the volume's centre, (m, 3)."""
    inside = np.flatnonzero(brain)
    some = inside[:: max(1, inside.size // SAMPLED_POINTS)]
    voxels = np.stack(np.unravel_index(some, brain.shape), axis=1)
    return np.asarray((voxels - (np.asarray(brain.shape) - 1) / 2) * spacing)


def _pad(image: Float32, spacing: Float64) -> tuple[Float32, tuple[slice, ...]]:
    """Add room on all sides, falling to 0, up to a size that transforms fast; the box that holds the image."""
    widths, box = [], []
    for n, mm in zip(image.shape, spacing, strict=True):
        size = fft.next_fast_len(n + 2 * int(np.ceil(MARGIN_MM / 2 / mm)), real=True)
        # The same on both sides, or the volume's centre would no longer be the padded volume's.
        size += (size - n) % 2
        widths.append(((size - n) // 2,) * 2)
        box.append(slice(widths[-1][0], widths[-1][0] + n))
    return np.pad(image.astype(np.float32, copy=False), widths, mode="linear_ramp"), tuple(box)
