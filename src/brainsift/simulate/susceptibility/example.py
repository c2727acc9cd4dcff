"""One simulated head with microbleeds: GRE, SWI and QSM of the same scan, and what is truly there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.pose import draw_pose, lay_head
from brainsift.simulate.separable import spline_field
from brainsift.simulate.susceptibility.blob import Ball, Blob, Spot, make_spot
from brainsift.simulate.susceptibility.grid import Grid, lay_grid
from brainsift.simulate.susceptibility.images import (
    Modality,
    add_noise,
    bias_field,
    high_pass_phase,
    phase_mask,
    spread_points,
    susceptibility_map,
)
from brainsift.simulate.susceptibility.physics import dipole_field, radians_per_ppm
from brainsift.simulate.susceptibility.place import REGIONS, draw_places
from brainsift.simulate.susceptibility.scanner import draw_scanner
from brainsift.simulate.susceptibility.tissue import draw_look

__all__ = ["Bleed", "BleedExample", "Modality", "draw_bleed_example"]

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

MODALITIES: tuple[Modality, ...] = ("gre", "swi", "qsm")

FINE_MM = 1.0
"""Of the grid that heads are painted on: that of the label maps."""

NONE_SHARE = 0.5
"""Of heads have no bleed."""


@dataclass(frozen=True)
class Bleed:
    """One microbleed.

    Attributes
    ----------
    number : from 1 on, its value in the truth mask.
    voxel : (3,), centre in voxels of the scan.
    mm : (3,), the same in mm, RAS+.
    diameter_mm : of the blood itself.
    seen_diameter_mm : of the ball as large as what a rater marks in the GRE.
    susceptibility_ppm : of the blood over the tissue around.
    place : ``lobar``, ``deep`` or ``infratentorial``.
    region : finer, a key of `REGIONS`.
    """

    number: int
    voxel: tuple[float, float, float]
    mm: tuple[float, float, float]
    diameter_mm: float
    seen_diameter_mm: float
    susceptibility_ppm: float
    place: str
    region: str


@dataclass(frozen=True, eq=False)
class BleedExample:
    """One simulated scan; all arrays are on its grid.

    Attributes
    ----------
    images : float32 (X, Y, Z) by modality. GRE and SWI are 0 or more, the brightest tissue of the brain about 1; QSM
        is in ppm, 0 outside of the brain.
    affine : 4x4, voxel → mm, RAS+.
    bleeds : numbered from 1 on.
    truth : uint16, number of the bleed that a rater would mark in the GRE, blooming included; 0 elsewhere.
    mimics : uint8, `Mimic` of each voxel.
    parameters : all that was drawn, plain values for JSON.
    """

    images: dict[Modality, Float32]
    affine: Float64
    bleeds: tuple[Bleed, ...]
    truth: NDArray[np.uint16]
    mimics: NDArray[np.uint8]
    parameters: dict[str, Any]


def draw_count(rng: np.random.Generator) -> int:
    """Draw how many bleeds a head has: none in half, few in most others, a tail to dozens."""
    if rng.random() < NONE_SHARE:
        return 0
    if rng.random() < 0.85:
        return int(rng.geometric(0.4))
    return round(float(np.exp(rng.uniform(np.log(4), np.log(40)))))


def draw_bleed_example(
    rng: np.random.Generator,
    head: LabelMap,
    *,
    count: int | None = None,
    voxel_mm: tuple[float, float, float] | None = None,
    slice_axis: int | None = None,
    modalities: Sequence[Modality] = MODALITIES,
    fine_mm: float = FINE_MM,
) -> BleedExample:
    """Draw a head with microbleeds and what is mistaken for them, and scan it.

    Parameters
    ----------
    head : label map with FreeSurfer's values; deformed anew in each call.
    count : of bleeds; drawn if None, none in half of the heads.
    voxel_mm : (3,), of the scan; drawn if None.
    slice_axis : 0 sagittal, 1 coronal, 2 axial; drawn if None, and that of the thickest side where `voxel_mm` is given.
    modalities : which images are made; each is the same whether the others are made or not.
    fine_mm : grid on which the head is painted.

    Raises
    ------
    ValueError
        if a parameter is out of range or the label map has no brain.
    """
    unknown = set(modalities) - set(MODALITIES)
    if unknown or not modalities:
        raise ValueError(f"modalities must be some of {', '.join(MODALITIES)}, got {list(modalities)}")
    if count is not None and count < 0:
        raise ValueError(f"a count of bleeds is 0 or more, got {count}")
    of_head, of_bleeds, of_scan = (np.random.default_rng(s) for s in rng.integers(2**31, size=3))
    wanted = draw_count(of_bleeds) if count is None else count
    pose = draw_pose(of_head, float(of_head.uniform(0.2, 1.0)), True)
    laid = lay_head(head, pose, fine_mm)
    scanner = draw_scanner(of_scan, voxel_mm, slice_axis)
    look = draw_look(of_scan, scanner.field_t, scanner.te_ms, scanner.tr_ms, scanner.flip_deg)
    blobs = [_draw_bleed(of_bleeds, name, at) for name, at in draw_places(of_bleeds, laid, wanted)]
    grid = lay_grid(laid, scanner)
    chi_table, signal_table = look.tables(laid.values)
    chi = grid.up(chi_table[laid.codes])
    texture = 1 + look.texture * spline_field(np.random.default_rng(look.seed), laid.codes.shape, look.texture_mm)
    size = grid.up(signal_table[laid.codes] * texture.astype(np.float32))
    phase = dipole_field(chi, grid.fine_mm, scanner.b0)
    phase *= np.float32(radians_per_ppm(scanner.field_t, scanner.te_ms))
    signal = np.empty(size.shape, np.complex64)
    signal.real, signal.imag = size * np.cos(phase), size * np.sin(phase)
    truth = np.zeros(grid.shape, np.uint16)
    bleeds: list[Bleed] = []
    affine = grid.affine(scanner)
    for blob in blobs:
        spot = make_spot(blob, grid, scanner)
        if spot is None:
            continue
        signal[spot.box] *= spot.factor
        chi[spot.box] += np.float32(blob.chi_ppm) * spot.share
        bleeds.append(_mark(truth, len(bleeds) + 1, blob, spot, grid, affine))
    complex_scan = spread_points(_down(signal, grid), scanner)
    complex_scan = add_noise(complex_scan, scanner)
    is_brain, is_csf = brain_and_csf(laid.values)
    inside = grid.down(grid.up((is_brain | is_csf)[laid.codes].astype(np.float32))) > 0.5
    images: dict[Modality, Float32] = {}
    magnitude = np.abs(complex_scan)
    bias = bias_field(scanner, grid.shape)
    if "gre" in modalities:
        images["gre"] = magnitude * bias
    if "swi" in modalities:
        images["swi"] = magnitude * bias * phase_mask(high_pass_phase(complex_scan, scanner))
    if "qsm" in modalities:
        images["qsm"] = susceptibility_map(grid.down(chi), inside, scanner)
    parameters = {
        "fine_mm": fine_mm,
        "pose": pose.to_dict(),
        "scanner": scanner.to_dict(),
        "look": look.to_dict(),
        "blobs": [blob.to_dict() for blob in blobs],
    }
    return BleedExample(images, affine, tuple(bleeds), truth, np.zeros(grid.shape, np.uint8), parameters)


def _down(signal: NDArray[np.complex64], grid: Grid) -> NDArray[np.complex64]:
    made = np.empty(grid.shape, np.complex64)
    made.real, made.imag = grid.down(signal.real), grid.down(signal.imag)
    return made


def _draw_bleed(rng: np.random.Generator, region: str, at: Float64) -> Blob:
    diameter = float(np.clip(np.exp(rng.normal(np.log(2.0), 0.3)), 0.9, 6.0))
    chi = float(rng.uniform(0.4, 1.2))
    x, y, z = (float(v) for v in at)
    return Blob((x, y, z), (Ball((0.0, 0.0, 0.0), diameter / 2),), chi, 0.6, "bleed", REGIONS[region].place, region)


def _mark(truth: NDArray[np.uint16], number: int, blob: Blob, spot: Spot, grid: Grid, affine: Float64) -> Bleed:
    """Mark in `truth` what a rater would, and describe the bleed."""
    axis = grid.slice_axis
    box = list(spot.box)
    box[axis] = slice(box[axis].start // grid.sheets, box[axis].stop // grid.sheets)
    part = np.empty([s.stop - s.start for s in box], np.complex64)
    part.real, part.imag = grid.down(spot.factor.real.copy()), grid.down(spot.factor.imag.copy())
    loss = 1 - np.abs(part)
    marked = loss > 0.5 * loss.max()
    labels, _ = ndimage.label(marked)
    marked = labels == labels[np.unravel_index(loss.argmax(), loss.shape)]
    truth[tuple(box)][marked] = number
    volume = float(marked.sum()) * float(np.prod(grid.voxel_mm))
    x, y, z = (float(v) for v in grid.to_scan(np.asarray(blob.at)))
    mm = affine[:3, :3] @ np.array([x, y, z]) + affine[:3, 3]
    return Bleed(
        number=number,
        voxel=(x, y, z),
        mm=(float(mm[0]), float(mm[1]), float(mm[2])),
        diameter_mm=blob.diameter_mm,
        seen_diameter_mm=float((6 * volume / np.pi) ** (1 / 3)),
        susceptibility_ppm=blob.chi_ppm,
        place=blob.place,
        region=blob.region,
    )
