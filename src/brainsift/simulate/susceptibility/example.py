"""One simulated head with microbleeds: GRE, SWI and QSM of the same scan, and what is truly there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.pose import draw_pose, lay_head
from brainsift.simulate.susceptibility.bleeds import draw_bleed, draw_calcifications, draw_count
from brainsift.simulate.susceptibility.blob import Blob, make_spot
from brainsift.simulate.susceptibility.coverage import brain_share, crop_height, draw_shown
from brainsift.simulate.susceptibility.frame import make_frame
from brainsift.simulate.susceptibility.grid import lay_grid
from brainsift.simulate.susceptibility.images import Modality, draw_finish, finish
from brainsift.simulate.susceptibility.mark import Bleed, Mark, describe, mark_spot
from brainsift.simulate.susceptibility.mimics import Mimic
from brainsift.simulate.susceptibility.paint import draw_cavities, paint_head
from brainsift.simulate.susceptibility.place import PlaceFinder
from brainsift.simulate.susceptibility.scanner import Scanner, draw_scanner
from brainsift.simulate.susceptibility.scene import Scene, make_scene
from brainsift.simulate.susceptibility.tissue import draw_look
from brainsift.simulate.susceptibility.vessels import draw_vessel_plan, lay_vessels

__all__ = ["MODALITIES", "Bleed", "BleedExample", "Mimic", "Modality", "draw_bleed_example"]

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

MODALITIES: tuple[Modality, ...] = ("gre", "swi", "qsm")

FINE_MM = 1.0
"""Of the grid that heads are painted on: that of the label maps."""

TRIES = 6
"""Places that are tried for a bleed; one in a drop-out or a sinus would be seen by nobody."""

LEAST_LOSS, LOSS_OVER_NOISE = 0.3, 4.0
"""A bleed takes this share of the signal at its darkest, and so many times the noise: else nobody could mark it."""

MAPPED_SHARE = 0.7
"""Of a bleed's mark must lie in what the susceptibility map shows, so that all images show the same bleeds."""

GROWTH, MOST_GROWTH = 1.25, 5
"""A bleed that does not show is grown by this factor, at most so many times."""


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


def draw_bleed_example(
    rng: np.random.Generator,
    head: LabelMap,
    *,
    count: int | None = None,
    voxel_mm: tuple[float, float, float] | None = None,
    slice_axis: int | None = None,
    modalities: Sequence[Modality] = MODALITIES,
    fine_mm: float = FINE_MM,
    various: float = 0.0,
) -> BleedExample:
    """Draw a head with microbleeds and what is mistaken for them, and scan it.

    Parameters
    ----------
    head : label map with FreeSurfer's values; deformed anew in each call.
    count : of bleeds; drawn if None, none in half of the heads. Fewer are made where no place is found.
    voxel_mm : (3,), of the scan; drawn if None.
    slice_axis : 0 sagittal, 1 coronal, 2 axial; drawn if None, and that of the thickest side where `voxel_mm` is given.
    modalities : which images are made; each is the same whether the others are made or not.
    fine_mm : grid on which the head is painted.
    various : share of the bleeds that may have any size up to 10 mm and any look, instead of those of people.

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
    scanner = draw_scanner(of_scan, voxel_mm, slice_axis)
    shown = draw_shown(of_scan, scanner.slice_axis)
    pose = draw_pose(of_head, float(of_head.uniform(0.2, 1.0)), True)
    laid = crop_height(lay_head(head, pose, fine_mm), shown)
    frame = make_frame(laid)
    look = draw_look(of_scan, scanner.field_t, scanner.te_ms, scanner.tr_ms, scanner.flip_deg)
    cavities, plan = draw_cavities(of_head), draw_vessel_plan(of_head)
    grid = lay_grid(laid, scanner)
    finishing = draw_finish(of_scan, scanner.slice_axis)
    painted, vessels = paint_head(frame, look, cavities), lay_vessels(frame, plan)
    scene = make_scene(painted, vessels, brain_share(laid, shown), look, scanner, grid, finishing.eroded)
    calcified = draw_calcifications(of_head, frame)
    for blob in calcified:
        _add_calcification(scene, blob, scanner)
    affine = grid.affine(scanner)
    wanted = draw_count(of_bleeds) if count is None else count
    truth = np.zeros(grid.shape, np.uint16)
    blobs, bleeds = _add_bleeds(of_bleeds, scene, PlaceFinder(of_bleeds, laid), wanted, scanner, truth, affine, various)
    scene.mimics[truth > 0] = 0
    images = finish(scene, scanner, finishing, shown, modalities)
    parameters = {
        "fine_mm": fine_mm,
        "pose": pose.to_dict(),
        "scanner": scanner.to_dict(),
        "shown": shown.to_dict(),
        "look": look.to_dict(),
        "cavities": cavities.to_dict(),
        "vessels": plan.to_dict(),
        "finish": finishing.to_dict(),
        "calcifications": [blob.to_dict() for blob in calcified],
        "bleeds": [blob.to_dict() for blob in blobs],
    }
    return BleedExample(images, affine, bleeds, truth, scene.mimics, parameters)


def _add_calcification(scene: Scene, blob: Blob, scanner: Scanner) -> None:
    spot = make_spot(blob, scene.grid, scanner)
    if spot is None:
        return
    mark = mark_spot(spot, scene.grid, scanner.blur_voxels)
    if not scene.brain[mark.box][mark.mask].all():
        return
    scene.add(blob, spot)
    scene.mimics[mark.box][mark.mask] = Mimic.CALCIFICATION


def _add_bleeds(
    rng: np.random.Generator,
    scene: Scene,
    finder: PlaceFinder,
    wanted: int,
    scanner: Scanner,
    truth: NDArray[np.uint16],
    affine: Float64,
    various: float,
) -> tuple[list[Blob], tuple[Bleed, ...]]:
    """Add bleeds to the scene and mark them in `truth`."""
    blobs: list[Blob] = []
    bleeds: list[Bleed] = []
    for _ in range(wanted):
        for _ in range(TRIES):
            drawn = finder.draw(rng)
            if drawn is None:
                break
            found = _try_bleed(rng, scene, *drawn, scanner, truth, various)
            if found is None:
                continue
            blob, mark = found
            truth[mark.box][mark.mask] = len(bleeds) + 1
            blobs.append(blob)
            bleeds.append(describe(len(bleeds) + 1, blob, mark, scene.grid, affine))
            break
    return blobs, tuple(bleeds)


def _try_bleed(
    rng: np.random.Generator,
    scene: Scene,
    region: str,
    at: Float64,
    scanner: Scanner,
    truth: NDArray[np.uint16],
    various: float,
) -> tuple[Blob, Mark] | None:
    """Draw a bleed at a place and add it, grown until it shows; None where it cannot be told from what is there."""
    seed = int(rng.integers(2**31))
    any_look = bool(np.random.default_rng([seed, 1]).random() < various)
    for growth in range(MOST_GROWTH + 1):
        blob = draw_bleed(np.random.default_rng(seed), region, at, GROWTH**growth, various=any_look)
        spot = make_spot(blob, scene.grid, scanner)
        if spot is None:
            return None
        mark = mark_spot(spot, scene.grid, scanner.blur_voxels)
        if growth == 0 and not _is_free(scene, mark, truth):
            return None
        bright = scene.bright(mark.box, mark.mask)
        if mark.lost >= max(LEAST_LOSS, LOSS_OVER_NOISE * scanner.noise / max(bright, 1e-3)):
            if not _is_free(scene, mark, truth):
                return None
            scene.add(blob, spot)
            return blob, mark
    return None


def _is_free(scene: Scene, mark: Mark, truth: NDArray[np.uint16]) -> bool:
    """Whether a mark lies in the brain, mostly where it is mapped, on no other bleed and on nothing that is dark."""
    where = scene.mimics[mark.box][mark.mask]
    hidden = np.isin(where, (Mimic.SINUS, Mimic.DROPOUT, Mimic.CALCIFICATION, Mimic.FLOW)).any()
    room = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in ndimage.find_objects(mark.mask.astype(np.uint8))[0])
    touches = truth[mark.box][room].any()
    mapped = scene.mapped[mark.box][mark.mask].mean() >= MAPPED_SHARE
    return bool(scene.brain[mark.box][mark.mask].all() and mapped and not hidden and not touches)
