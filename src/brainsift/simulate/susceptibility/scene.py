"""A head with its vessels under the main field: the complex signal on the fine grid, before bleeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.susceptibility.blob import Blob, Spot
from brainsift.simulate.susceptibility.fill import fill_tubes
from brainsift.simulate.susceptibility.grid import Grid
from brainsift.simulate.susceptibility.mimics import Mimic
from brainsift.simulate.susceptibility.paint import Painted
from brainsift.simulate.susceptibility.physics import dipole_field, radians_per_ppm
from brainsift.simulate.susceptibility.scanner import Scanner
from brainsift.simulate.susceptibility.tissue import Look
from brainsift.simulate.susceptibility.vessels import Vessels

Complex64 = NDArray[np.complex64]
Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

SHOWN_SHARE = 0.2
"""Of a voxel that a vessel must fill to be marked as a mimic."""

LOST_SHARE = 0.45
"""Of the signal that must be lost to dephasing for a voxel to be marked as drop-out."""

CHI_LIMITS_PPM = (-0.1, 0.5)
"""Of what a susceptibility map shows of tissue: bone and air at the edge of the mask are not mapped."""

SHIM_STRIDE = 5
"""Every so many voxels of the scan along each axis are asked for the shim."""

LEAST_SHIM_POINTS = 30

LEAST_SIGNAL = 1e-6


@dataclass(frozen=True, eq=False)
class Scene:
    """What is there to be scanned.

    Attributes
    ----------
    grid : of the scan.
    signal : complex64, on the fine grid.
    chi_ppm : float32, on the fine grid, air and bone cut off.
    brain : bool, on the scan's grid: brain with the fluid in and around it.
    mapped : bool, the part of it that a susceptibility map shows.
    mimics : uint8, on the scan's grid, `Mimic` of each voxel.
    """

    grid: Grid
    signal: Complex64
    chi_ppm: Float32
    brain: Mask
    mapped: Mask
    mimics: NDArray[np.uint8]

    def add(self, blob: Blob, spot: Spot) -> None:
        """Add a bleed or calcification, in place."""
        self.signal[spot.box] *= spot.factor
        self.chi_ppm[spot.box] += np.float32(blob.chi_ppm) * spot.share

    def bright(self, box: tuple[slice, slice, slice], mask: Mask) -> float:
        """Mean magnitude of the part of a box of the scan's grid that `mask` shows."""
        grid = self.grid
        steps = [grid.sheets if axis == grid.slice_axis else 1 for axis in range(3)]
        x, y, z = (slice(s.start * n, s.stop * n) for s, n in zip(box, steps, strict=True))
        part = self.signal[x, y, z]
        size = np.hypot(grid.down(np.ascontiguousarray(part.real)), grid.down(np.ascontiguousarray(part.imag)))
        return float(size[mask].mean())


def make_scene(
    painted: Painted, vessels: Vessels, brain: Float32, look: Look, scanner: Scanner, grid: Grid, eroded: int = 0
) -> Scene:
    """Add vessels to a painted head and let the field act until the echo.

    Parameters
    ----------
    brain : float32, on the head's grid, 1 where it is brain or fluid within the skull.
    eroded : voxels at its edge that a susceptibility map leaves out.
    """
    chi, size = grid.up(painted.chi_ppm), grid.up(painted.signal)
    blood = look.chi_ppm["sinus"], look.signal["sinus"]
    flowing = {
        Mimic.FLOW: (fill_tubes(vessels.arteries, grid), 0.0, look.artery),
        Mimic.VEIN: (fill_tubes(vessels.veins, grid), *blood),
        Mimic.SINUS: (fill_tubes(vessels.sinuses, grid), *blood),
    }
    for filled, ppm, bright in flowing.values():
        filled.mix(chi, ppm)
        filled.mix(size, bright)
    mask = grid.onto_scan(brain) > 0.5
    phase = dipole_field(chi, grid.fine_mm, scanner.b0)
    phase -= _shim(phase, mask, grid)
    phase *= np.float32(radians_per_ppm(scanner.field_t, scanner.te_ms))
    before = grid.down(size)
    kept: Float32 = dephasing(phase, grid.slice_axis)
    shown = size * kept
    signal = np.empty(size.shape, np.complex64)
    np.multiply(shown, np.cos(phase), out=signal.real)
    np.multiply(shown, np.sin(phase, out=phase), out=signal.imag)
    if grid.sheets > 1:
        after: Float32 = np.hypot(grid.down(signal.real), grid.down(signal.imag))
        kept = (after / np.maximum(before, np.float32(LEAST_SIGNAL))).astype(np.float32)
    mimics = np.zeros(grid.shape, np.uint8)
    mimics[grid.nearest(painted.iron)] = Mimic.IRON
    mimics[(kept < 1 - LOST_SHARE) & mask] = Mimic.DROPOUT
    for kind, (filled, _, _) in flowing.items():
        mimics[filled.seen(grid) > SHOWN_SHARE] = kind
    mapped = ndimage.binary_erosion(mask, iterations=eroded) if eroded else mask
    return Scene(grid, signal, np.clip(chi, *CHI_LIMITS_PPM, out=chi), mask, np.asarray(mapped), mimics)


def dephasing(phase: Float32, axis: int) -> Float32:
    """Signal that is left of sheets across which the phase (X, Y, Z) changes evenly: sin(d/2) / (d/2) of the change d.

    A series in d, good to 0.03 up to a whole turn, beyond which nothing is left.
    """
    change = np.empty_like(phase)
    there, made = np.moveaxis(phase, axis, 0), np.moveaxis(change, axis, 0)
    if len(there) < 2:
        return np.ones_like(phase)
    np.subtract(there[2:], there[:-2], out=made[1:-1])
    made[1:-1] *= np.float32(0.5)
    made[0], made[-1] = there[1] - there[0], there[-1] - there[-2]
    np.square(change, out=change)
    np.minimum(change, np.float32(4 * np.pi**2), out=change)
    kept = change * np.float32(-1 / 322560)
    kept += np.float32(1 / 1920)
    kept *= change
    kept -= np.float32(1 / 24)
    kept *= change
    kept += np.float32(1)
    np.maximum(kept, np.float32(0), out=kept)
    return kept


def _shim(field: Float32, brain: Mask, grid: Grid) -> Float32:
    """What a shim takes off: the mean and the slopes of the field over the brain, that broadcasts over (X, Y, Z)."""
    x, y, z = (np.arange(n, dtype=np.float32) for n in field.shape)
    slices = [grid.sheets if axis == grid.slice_axis else 1 for axis in range(3)]
    some = tuple(slice(n // 2, None, n * SHIM_STRIDE) for n in slices)
    chosen = brain[::SHIM_STRIDE, ::SHIM_STRIDE, ::SHIM_STRIDE]
    if np.count_nonzero(chosen) < LEAST_SHIM_POINTS:
        return np.zeros((1, 1, 1), np.float32)
    axes = np.meshgrid(x[some[0]], y[some[1]], z[some[2]], indexing="ij")
    design = np.stack([np.ones(np.count_nonzero(chosen)), *(a[chosen] for a in axes)], axis=1)
    fit = np.linalg.lstsq(design, field[some][chosen], rcond=None)[0].astype(np.float32)
    taken: Float32 = fit[0] + fit[1] * x[:, None, None] + fit[2] * y[None, :, None] + fit[3] * z[None, None]
    return taken
