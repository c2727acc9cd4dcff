"""A real brain in a painted head: real folds and folia within skull, scalp and neck.

Clean real scans are stripped of their skull, and painted heads have no real brain: a network that saw only these took
the fine structure of a real whole head for movement.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.cleaning import bounding_box
from brainsift.learn.quality.clean import SMOOTH, CleanScan, Float32, Float64
from brainsift.simulate.acquire import BIAS_KNOT_MM, acquire, add_rician_noise, draw_acquisition
from brainsift.simulate.contrast import tables
from brainsift.simulate.coverage import WHOLE, keep_mask
from brainsift.simulate.fine_structure import apply_fine_structure, draw_fine_structure
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.separable import spline_field
from brainsift.simulate.zoo import draw_good_contrast

TRANSPLANTED = "real brain in a painted head"
"""Source of such scans, in tables."""

KINDS = ("mprage", "spgr")
"""Of contrast around a T1w brain."""

AROUND_MM = ((14.0, 14.0), (14.0, 26.0), (45.0, 14.0))
"""Of the head shown before and behind the brain along each axis, at least: skull, scalp, face and neck."""

VARIES_MM = 14.0

ROOM = (1.0, 1.05)
"""How much larger than the real brain the hole for it is, along each axis."""

LARGEST_BIAS = 0.25

NECK_MM = (75.0, 125.0)
"""Below the brain's middle, where half of the fields of view end."""

V = TypeVar("V", NDArray[np.bool_], Float32)


def transplant(rng: np.random.Generator, scan: CleanScan, head: LabelMap) -> CleanScan:
    """Lay a real stripped brain into a label map's head, stretched to its size and painted; 1 s at 1 mm.

    Parameters
    ----------
    scan : of isotropic voxels.
    """
    h = scan.spacing_mm[0]
    box = bounding_box(scan.brain)
    pads = np.rint((np.asarray(AROUND_MM) + rng.uniform(0, VARIES_MM, (3, 2))) / h).astype(int)

    def placed(inner: V) -> V:
        return np.pad(inner[box], [(int(a), int(b)) for a, b in pads])

    brain = placed(scan.brain)
    size = _lengths(box)
    middle = pads[:, 0] + (size - 1) / 2
    contrast = draw_good_contrast(rng, head.values, str(rng.choice(KINDS)))
    white_level = dict(zip(contrast.values, contrast.means, strict=True))[2]
    scale = white_level / float(np.median(scan.image[scan.white]))
    codes = _stretched(rng, head, middle, size * rng.uniform(*ROOM, 3), brain.shape)
    mean, spread = tables(contrast)
    tissue = apply_fine_structure(mean[codes], codes, head.values, draw_fine_structure(rng), h)
    resolution = float(rng.uniform(0.8, 1.3))
    acquisition = replace(
        draw_acquisition(rng), resolution_mm=(resolution,) * 3, bias=0.0, noise=0.0, ghost=0.0, gamma=1.0
    )
    texture = np.float32(rng.uniform(*SMOOTH)) * spread[codes]
    around = add_rician_noise(rng, acquire(tissue, texture, acquisition, h), scan.own_noise * scale)
    low = -float(rng.uniform(*NECK_MM)) if rng.random() < 0.5 else WHOLE.low_mm[2]
    keep = keep_mask(brain, brain, middle, replace(WHOLE, low_mm=(*WHOLE.low_mm[:2], low)), h)
    bias = np.exp(rng.uniform(0, LARGEST_BIAS) * spline_field(rng, brain.shape, BIAS_KNOT_MM / h))
    return replace(
        scan,
        image=np.where(brain, placed(scan.image) * np.float32(scale), around * keep) * bias.astype(np.float32),
        brain=brain,
        white=placed(scan.white),
        cortex=placed(scan.cortex),
        seen=None,
        outside=(head.values != 0)[codes] & keep & ~brain,
        own_noise=scan.own_noise * scale,
        facts=scan.facts | {"source": TRANSPLANTED},
    )


def _lengths(box: tuple[slice, ...]) -> Float64:
    return np.array([side.stop - side.start for side in box], float)


def _stretched(
    rng: np.random.Generator, head: LabelMap, middle: Float64, size: Float64, shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Codes (X, Y, Z) of the head, its brain of the size and in the place asked for, and fluid instead of it."""
    is_brain, is_fluid = brain_and_csf(head.values)
    box = bounding_box(is_brain[head.codes])
    length = _lengths(box)
    centre = np.array([side.start for side in box]) + (length - 1) / 2
    codes = head.codes
    if rng.random() < 0.5:
        codes, centre = codes[::-1], centre * (-1, 1, 1) + ((codes.shape[0] - 1), 0, 0)
    places = []
    for axis, n in enumerate(shape):
        at = np.rint(centre[axis] + (np.arange(n) - middle[axis]) * length[axis] / size[axis]).astype(int)
        places.append(np.clip(at, 0, codes.shape[axis] - 1))
    hole = np.flatnonzero(is_fluid)[0] if is_fluid.any() else 0
    emptied = np.where(is_brain, hole, np.arange(len(head.values))).astype(np.uint8)
    return emptied[codes[np.ix_(*places)]]
