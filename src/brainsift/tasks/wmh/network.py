"""What the lesion network is fed and what it answers. No torch in here; learning uses the same functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import INTRACRANIAL, Tissue
from brainsift.anatomy.regions import ventricle_distance
from brainsift.scans.conform import resample_linear, to_working_grid
from brainsift.scans.errors import ScanError
from brainsift.scans.volume import Volume
from brainsift.tasks.wmh.box import brain_box
from brainsift.tasks.wmh.scaling import grey_scale, white_field

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

MODEL = "wmh"

SPACING_MM = 1.0
MULTIPLE_OF = 16
"""The network halves the grid four times."""

CHANNELS = ("t1w", "white", "deep_grey", "ventricles")
"""Grey value; share of cerebral white matter; share of deep grey nuclei, hippocampus and amygdala, which look like
lesions beside the ventricles; nearness to the ventricles. All in [0, 1]."""

BRIGHTEST = 1.5
"""Times white matter: brighter are fat and vessels."""

VENTRICLE_REACH_MM = 20.0
"""Nearness falls from 1 in the ventricles to 0 at this distance: the caps of large lesions reach that far."""

SEEN_MM = 6.0
"""The image is blanked further than this from brain and fluid, so that a stripped head looks like a whole one."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the network sees of a scan.

    Attributes
    ----------
    input : float32 (channels, X, Y, Z) in [0, 1], sizes multiples of `MULTIPLE_OF`; see `CHANNELS`.
    affine : 4x4, voxel → scan mm; axes as those of the anatomy pass.
    inside : bool (X, Y, Z), within the field of view of the scan.
    """

    input: Float32
    affine: Float64
    inside: NDArray[np.bool_]


def prepare(volume: Volume, anatomy: Anatomy) -> Prepared:
    """Cut the brain out of a scan, at 1 mm, with the anatomy beside it.

    Raises
    ------
    ScanError
        if there is no brain, or white matter is not brighter than grey matter and fluid.
    """
    if not anatomy.has_brain or not anatomy.brain.any():
        raise ScanError("no_brain", "No brain was found in the scan.", "Lesions are measured in brain scans alone.")
    scale = grey_scale(anatomy)
    if scale is None:
        raise ScanError(
            "not_t1w",
            "White matter is not brighter than grey matter and fluid.",
            "Give a T1w scan; the name may say T1w wrongly.",
        )
    grid, grid_affine = to_working_grid(volume, SPACING_MM)
    x, y, z = grid.shape
    frame = brain_box(anatomy, grid_affine, (x, y, z), MULTIPLE_OF)
    affine, inside = frame.affine(grid_affine), frame.inside(grid.shape)

    def here(array: Float32, its_affine: Float64) -> Float32:
        return resample_linear(array, its_affine, frame.shape, affine)

    field = here(*white_field(anatomy, scale))
    field[field <= 0] = 1  # beyond the grid of the anatomy pass
    shares = (frame.cut(grid) - np.float32(scale.fluid)) / (np.float32(scale.white - scale.fluid) * field)
    nearness = np.clip(1 - ventricle_distance(anatomy) / np.float32(VENTRICLE_REACH_MM), 0, 1)
    channels = np.empty((len(CHANNELS), *frame.shape), np.float32)
    channels[0] = np.clip(shares / np.float32(BRIGHTEST), 0, 1)
    channels[0][~inside | (here(_near_brain(anatomy), anatomy.affine) < 0.5)] = 0
    channels[1] = here(_share(anatomy, Tissue.WHITE), anatomy.affine)
    channels[2] = here(_share(anatomy, Tissue.DEEP_GREY, Tissue.HIPPOCAMPUS_AMYGDALA), anatomy.affine)
    channels[3] = here(nearness, anatomy.affine)
    return Prepared(channels, affine, inside)


def _share(anatomy: Anatomy, *tissues: Tissue) -> Float32:
    """1 in the tissues and 0 elsewhere, float32 (X, Y, Z)."""
    return np.isin(anatomy.labels, [int(tissue) for tissue in tissues]).astype(np.float32)


def _near_brain(anatomy: Anatomy) -> Float32:
    """1 within `SEEN_MM` of what lies inside the skull, float32 (X, Y, Z)."""
    from scipy.ndimage import binary_dilation

    skull = anatomy.brain | (_share(anatomy, *INTRACRANIAL) > 0)
    steps = max(1, round(SEEN_MM / float(np.sqrt((anatomy.affine[:3, 0] ** 2).sum()))))
    return np.asarray(binary_dilation(skull, iterations=steps), np.float32)


def probability(logits: NDArray[np.floating]) -> Float32:
    """Lesion probability of each voxel, float32 (X, Y, Z), from the network's answer (1, 1, X, Y, Z).

    Raises
    ------
    ValueError
        if the answer has another number of channels.
    """
    if logits.ndim != 5 or logits.shape[:2] != (1, 1):
        raise ValueError(f"a lesion model must give (1, 1, X, Y, Z) logits, got {logits.shape}: import another")
    half: Float32 = np.tanh(np.float32(0.5) * logits[0, 0].astype(np.float32, copy=False))
    half += 1
    half *= np.float32(0.5)
    return half
