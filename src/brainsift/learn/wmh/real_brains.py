"""Lesions painted into real T1w brains: folds, vessels and nuclei as they are, and what was painted is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box
from brainsift.anatomy.compute import compute_anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.learn.as_read import as_volume
from brainsift.learn.people import person_of
from brainsift.learn.wmh.example import Example, make_example
from brainsift.learn.wmh.preparing import Preparer, prepare_with_anatomy
from brainsift.learn.wmh.source import PAINTED
from brainsift.scans.conform import resample_linear, to_working_grid
from brainsift.scans.errors import ScanError
from brainsift.scans.read import read_file
from brainsift.simulate.acquire import BIAS_KNOT_MM, add_rician_noise
from brainsift.simulate.freesurfer import CORTEX, FLUID, LATERAL_VENTRICLES, WHITE
from brainsift.simulate.labelmap import LabelMap, make_label_map
from brainsift.simulate.lesions.draw import draw_lesion_plan, draw_load, place_lesions
from brainsift.simulate.lesions.look import draw_look, lesion_levels, paint_real_t1w
from brainsift.simulate.lesions.mimics import draw_mimics, paint_mimics_on_real, place_mimics
from brainsift.simulate.lesions.shapes import ShapeBank
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

FINE_MM = 1.0
"""Of the grid on which lesions are painted."""

SIDED = {
    Tissue.WHITE: WHITE,
    Tissue.CORTEX: CORTEX,
    Tissue.VENTRICLES: LATERAL_VENTRICLES,
    Tissue.DEEP_GREY: (10, 49),
    Tissue.HIPPOCAMPUS_AMYGDALA: (17, 53),
    Tissue.CEREBELLUM: (8, 47),
    Tissue.BRAINSTEM: (16, 16),
    Tissue.CSF: FLUID * 2,
}
"""FreeSurfer's values, left and right. Lesions of the cerebellum's white matter are left to label maps."""

BETWEEN, MIDLINE_MM, THALAMIC_MM = 14, 4.0, 12.0
"""Ventricles this near to the midline and below this height of MNI152 are the third and fourth: no band lines them."""

SIZE, LARGEST_BIAS, NOISE = (0.92, 1.08), 0.2, (0.0, 0.02)
"""Each axis is stretched; a field and noise (relative to white matter) are added to what the scan has."""

LEVELS_SD = 0.12
"""Of the logarithm of where grey matter lies between fluid and white matter."""

LEAST_SHARE = 0.5
"""Of a voxel that the tissue with the most of it must fill."""

CACHED = 16


@dataclass(frozen=True, eq=False)
class RealBrain:
    """A clean T1w brain, what is where, and how bright.

    Attributes
    ----------
    image : float32 (X, Y, Z), RAS+, voxels of 1 mm, white matter about 1; 0 outside of the brain.
    grey, fluid : signal of cortex and CSF.
    head : what the anatomy pass says, as a label map of the same grid.
    person : whose brain it is.
    """

    image: Float32
    grey: float
    fluid: float
    head: LabelMap
    person: str


@lru_cache(maxsize=CACHED)
def read_real_brain(path: Path) -> RealBrain:
    """Read a clean, skull-stripped T1w scan and look at its anatomy; 3 s on one core, and kept.

    Raises
    ------
    ScanError
        if it cannot be read, or shows no T1w brain.
    """
    volume = read_file(path)
    anatomy = compute_anatomy(volume, threads=1)
    white, grey, fluid = (_level(anatomy, name) for name in ("white", "cortex", "ventricles"))
    if not anatomy.has_brain or anatomy.to_mni is None or not fluid < grey < white:
        raise ScanError("not_t1w", f"{path.name} shows no T1w brain.", "Give clean, skull-stripped 3D T1w scans alone.")
    grid, affine = to_working_grid(volume, FINE_MM)
    labels = _freesurfer(anatomy, grid.shape, affine)
    labels[(labels == 0) & (grid > 0)] = SIDED[Tissue.CSF][0]
    box = bounding_box(labels > 0)
    head = make_label_map(labels, FINE_MM)
    margin = [((a - b) // 2,) * 2 for a, b in zip(head.codes.shape, labels[box].shape, strict=True)]
    image: Float32 = (np.pad(np.maximum(grid[box], 0), margin) / white).astype(np.float32)
    return RealBrain(image, grey / white, fluid / white, head, person_of(path))


def _level(anatomy: Anatomy, tissue: str) -> float:
    """Median signal of a tissue; not a number where there is none of it."""
    return max(0.0, anatomy.tissue[tissue].median) if tissue in anatomy.tissue else float("nan")


def _freesurfer(anatomy: Anatomy, shape: tuple[int, int, int], affine: Float64) -> NDArray[np.int32]:
    """The labels of the anatomy pass as FreeSurfer's values, on another grid, int32 (X, Y, Z)."""
    shares = [resample_linear((anatomy.labels == t).astype(np.float32), anatomy.affine, shape, affine) for t in SIDED]
    most = np.argmax(shares, axis=0)
    voxels = np.flatnonzero(np.max(shares, axis=0) >= LEAST_SHARE)
    at = np.stack(np.unravel_index(voxels, shape), axis=1)
    to_mni = np.asarray(anatomy.to_mni) @ affine
    mni = at @ to_mni[:3, :3].T + to_mni[:3, 3]
    values = np.array(list(SIDED.values()))[most.ravel()[voxels], (mni[:, 0] > 0).astype(int)]
    is_ventricle = np.isin(values, SIDED[Tissue.VENTRICLES])
    values[is_ventricle & ((np.abs(mni[:, 0]) < MIDLINE_MM) & (mni[:, 2] < THALAMIC_MM))] = BETWEEN
    labels = np.zeros(shape, np.int32)
    labels.ravel()[voxels] = values
    return labels


def real_example(
    rng: np.random.Generator,
    brain: RealBrain,
    shapes: ShapeBank | None,
    prepared: Preparer = prepare_with_anatomy,
    load_ml: float | None = None,
) -> Example:
    """A real brain with painted lesions, lacunes and perivascular spaces, stretched, on other grey values; 3 s.

    Raises
    ------
    ScanError
        if the anatomy pass finds no brain in it any more.
    """
    load = draw_load(rng) if load_ml is None else load_ml
    plan = draw_lesion_plan(rng, brain.head, load_ml=load, shapes=shapes)
    placed, look = place_lesions(plan, brain.head), draw_look(rng)
    mimics = draw_mimics(rng, placed.ground)
    # Its own plexus shows already.
    there = replace(place_mimics(placed.ground, mimics), plexus=np.zeros(placed.ground.shape, np.float32))
    box = placed.ground.box
    image, truth = brain.image.copy(), placed.fraction.copy()
    painted = paint_real_t1w(image[box], lesion_levels(placed, look), look, brain.grey, brain.fluid)
    image[box] = paint_mimics_on_real(painted, there, mimics, brain.grey, brain.fluid)
    truth[box] *= 1 - there.share
    affine = np.diag([*rng.uniform(*SIZE, 3), 1.0])
    mirror = -1 if rng.random() < 0.5 else 1
    volume = as_volume(np.ascontiguousarray(_taken_anew(rng, image, brain)[::mirror]), affine)
    facts = {"source": PAINTED, "load_ml": round(float(truth.sum(dtype=np.float64)) * placed.ground.voxel_ml, 3)}
    facts |= {"bad_label": "", "spacing_mm": [round(float(s), 2) for s in volume.spacing]}
    return make_example(prepared(volume), brain.person, truth=(truth[::mirror], affine), facts=facts)


def _taken_anew(rng: np.random.Generator, image: Float32, brain: RealBrain) -> Float32:
    """The image with another contrast of fluid, grey and white matter, another field and more noise."""
    ratio = (brain.grey - brain.fluid) / (1 - brain.fluid)
    ratio = float(np.clip(ratio * np.exp(LEVELS_SD * rng.standard_normal()), 0.15, 0.85))
    fluid = float(np.clip(brain.fluid * np.exp(2 * LEVELS_SD * rng.standard_normal()), 0, 0.6))
    levels = (0.0, fluid, fluid + ratio * (1 - fluid), 1.0, 2.0)
    shown = image > 0
    again = np.interp(image, (0.0, max(brain.fluid, 1e-3), brain.grey, 1.0, 2.0), levels).astype(np.float32)
    x, y, z = image.shape
    again *= np.exp(np.float32(rng.uniform(0, LARGEST_BIAS)) * spline_field(rng, (x, y, z), BIAS_KNOT_MM / FINE_MM))
    again = add_rician_noise(rng, again, float(rng.uniform(*NOISE)))
    return np.where(shown, again, np.float32(0))
