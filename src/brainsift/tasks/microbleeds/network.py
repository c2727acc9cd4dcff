"""What the two bleed networks are fed and how their answers are read. No torch in here; learning uses the same
functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import is_any
from brainsift.anatomy.labels import INTRACRANIAL
from brainsift.scans.conform import resample_linear
from brainsift.scans.errors import ScanError
from brainsift.scans.volume import Volume
from brainsift.tasks.microbleeds.candidates import Candidate, candidates
from brainsift.tasks.microbleeds.cubes import CUBE_CHANNELS, CUBE_MM, CUBE_VOXELS, cut_cubes
from brainsift.tasks.microbleeds.frst import frst
from brainsift.tasks.microbleeds.grid import MULTIPLE_OF, SPACING_MM, cut_brain
from brainsift.tasks.microbleeds.modality import Modality
from brainsift.tasks.microbleeds.odds import from_all_sides, joint_probability, judge_cubes, log_odds, probability
from brainsift.tasks.microbleeds.polarity import Reading, read_image
from brainsift.tasks.microbleeds.scaling import TISSUE, from_magnitude, from_susceptibility, tissue_field

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

CANDIDATES, DISCRIMINATOR = "microbleeds_candidates", "microbleeds_discriminator"
"""Models on the shelf: where bleeds may be, and whether each of those places is one."""

THRESHOLD = "threshold"
"""Name in the metadata of both ONNX files: chosen on validation heads when the models were trained. The discriminator's
may name one for a modality as well (`threshold_name`)."""

POSSIBLE = "possible_threshold"
"""Name in the discriminator's metadata: from where on a place is shown to a person."""

SHARE = "detector_share"
"""Name in the discriminator's metadata: the detector's share in the probability of a bleed."""

CHANNELS = ("image", "frst")
"""Grey value with bleeds bright whatever the kind of scan (`scaling`); radial symmetry. Both in [0, 1]."""

FRST_FULL = 0.01
"""Radial symmetry that counts as 1, in grey values per mm. Below, its root is taken: it grows with the square of the
share that votes, so that simulated bleeds of 3 mm on slices of 1 mm reach 0.003 to 0.005, on slices of 4 mm 0.0002, and
one voxel of the brain in a thousand 0.0003."""

SOFTENED = 4.0
"""The detector's logits are divided by this: it learns that a bleed weighs hundreds of voxels, so its odds are far too
high, and all that it is sure of would round to 1 and could not be ranked."""

SEEN_MM = 2.0
"""The image is blanked further than this from all that lies inside the skull: bone is as dark as blood."""


MAX_MASK_ML = 2200.0
"""The largest skull holds as much; a map with values in more is not masked."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the networks see of a scan.

    Attributes
    ----------
    input : float32 (channels, X, Y, Z) in [0, 1], sizes multiples of `MULTIPLE_OF`; see `CHANNELS`.
    affine : 4x4, voxel → scan mm; voxels of `SPACING_MM`, the third axis across slices.
    inside : bool (X, Y, Z), within the field of view of the scan.
    seen : bool (X, Y, Z), inside the skull or within `SEEN_MM` of it; elsewhere the image is blank.
    modality : as what the scan was read.
    reading : how its values were understood.
    """

    input: Float32
    affine: Float64
    inside: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    modality: Modality
    reading: Reading


def threshold_name(modality: str) -> str:
    """Name in the discriminator's metadata of a threshold that holds for one modality alone."""
    return f"{THRESHOLD}_{modality}"


def prepare(volume: Volume, anatomy: Anatomy, modality: Modality) -> Prepared:
    """Bring a scan to the networks' grid and grey scale.

    Raises
    ------
    ScanError
        if there is no brain, or the image cannot be one of this modality, in either polarity.
    """
    if not anatomy.has_brain or not anatomy.brain.any():
        raise ScanError("no_brain", "No brain was found in the scan.", "Bleeds are sought in brain scans alone.")
    reading = read_image(volume, anatomy, modality)
    masked = own_mask(anatomy) if reading.modality == "qsm" else None
    grid = cut_brain(volume, anatomy, anatomy.brain if masked is None else anatomy.brain | masked)
    seen = near_skull(anatomy, grid.values.shape, grid.affine)
    if masked is not None:
        seen |= grid.values != 0
    seen &= grid.inside
    channels = np.empty((len(CHANNELS), *grid.values.shape), np.float32)
    channels[0] = _grey(anatomy, reading, reading.upright(grid.values), grid.affine)
    channels[0][~seen] = TISSUE
    channels[1] = symmetry(channels[0], seen)
    return Prepared(channels, grid.affine, grid.inside, seen, reading.modality, reading)


def symmetry(grey: Float32, seen: NDArray[np.bool_]) -> Float32:
    """The second of `CHANNELS`, of the first: float32 (X, Y, Z) in [0, 1]; voxels that are `seen` vote."""
    result: Float32 = np.sqrt(np.minimum(frst(grey, SPACING_MM, where=seen) / np.float32(FRST_FULL), 1))
    return result


def _grey(anatomy: Anatomy, reading: Reading, values: Float32, affine: Float64) -> Float32:
    if reading.modality == "qsm":
        return from_susceptibility(values)
    field = tissue_field(anatomy, reading.upright(anatomy.image))
    if field is None:
        raise ScanError("no_signal", "The brain has no signal.", "Give a scan with positive grey values in the brain.")
    x, y, z = values.shape
    tissue = resample_linear(field.values, field.affine, (x, y, z), affine)
    tissue[tissue <= 0] = np.inf  # beyond the grid of the anatomy pass
    return from_magnitude(values, tissue)


def own_mask(anatomy: Anatomy) -> NDArray[np.bool_] | None:
    """Where a map of susceptibility holds values, bool on the grid of the anatomy; None where that is no brain mask.

    Most maps are computed within a brain mask. It is closer than tissues that have hardly any contrast in them.
    """
    filled = anatomy.image != 0
    voxel_ml = float(abs(np.linalg.det(anatomy.affine[:3, :3]))) / 1000
    return filled if np.count_nonzero(filled) * voxel_ml <= MAX_MASK_ML else None


def near_skull(anatomy: Anatomy, shape: tuple[int, ...], affine: Float64) -> NDArray[np.bool_]:
    """Within `SEEN_MM` of what lies inside the skull, bool of `shape` on another grid (4x4 voxel → scan mm)."""
    from scipy.ndimage import distance_transform_edt

    inside = anatomy.brain | is_any(anatomy.labels, INTRACRANIAL)
    spacing = np.sqrt((anatomy.affine[:3, :3] ** 2).sum(axis=0))
    away = np.asarray(distance_transform_edt(~inside, sampling=spacing), np.float32)
    x, y, z = shape
    # Half a voxel less: distances are to centres of voxels that lie inside.
    near = 1 / (1 + np.maximum(away - np.float32(spacing.mean() / 2), 0))
    return np.asarray(resample_linear(near, anatomy.affine, (x, y, z), affine) >= 1 / (1 + SEEN_MM))


def cube(prepared: Prepared, centre: Float64) -> Float32:
    """What the discriminator sees of a place, float32 (channels, X, Y, Z); see `CUBE_CHANNELS`.

    Parameters
    ----------
    centre : (3,), in voxels of `prepared`.
    """
    one: Float32 = cubes(prepared, np.asarray(centre, np.float64)[None])[0]
    return one


def cubes(prepared: Prepared, centres: Float64) -> Float32:
    """As `cube`, of many places: (N, 3) → (N, channels, X, Y, Z)."""
    return cut_cubes(prepared.input, centres, SPACING_MM)


def candidate_probability(logits: NDArray[np.floating]) -> Float32:
    """Of the detector's logits; see `SOFTENED`."""
    return probability(logits / np.float32(SOFTENED))


__all__ = [
    "CANDIDATES",
    "CHANNELS",
    "CUBE_CHANNELS",
    "CUBE_MM",
    "CUBE_VOXELS",
    "DISCRIMINATOR",
    "MULTIPLE_OF",
    "POSSIBLE",
    "SHARE",
    "SPACING_MM",
    "THRESHOLD",
    "Candidate",
    "Prepared",
    "candidate_probability",
    "candidates",
    "cube",
    "cubes",
    "from_all_sides",
    "joint_probability",
    "judge_cubes",
    "log_odds",
    "prepare",
    "probability",
    "symmetry",
    "threshold_name",
]
