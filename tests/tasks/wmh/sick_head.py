"""A simulated T1w head with dark balls in its white matter, and the anatomy pass that knows the truth.

It is a small head, so that a test of the whole task takes a second: the average one at three fifths of its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.tissue_stats import tissue_statistics
from brainsift.scans.conform import resample_linear
from tests.anatomy.synthetic import T1W, render
from tests.tasks.wmh.scene import Ball, anatomy, probability

SIZE = 0.6
"""Of the average head."""

LESIONS: tuple[Ball, ...] = (((16.8, -21.6, 19.2), 5.0), ((-15.6, 14.4, 13.2), 4.0))

GREY = 0.6
"""Of a lesion, where white matter has 0.85 and cortex 0.58."""


@cache
def sick_anatomy(lesions: tuple[Ball, ...] = LESIONS) -> Anatomy:
    """Labels that know of no lesion, over an image that has them."""
    known = anatomy()
    x, y, z = known.labels.shape
    small = np.diag([SIZE, SIZE, SIZE, 1.0])
    image = render(known.labels, T1W)
    share = probability(lesions, (x, y, z), small @ known.affine)
    image = (image * (1 - share) + 1000 * GREY * share).astype(np.float32)
    return replace(
        known,
        affine=small @ known.affine,
        to_mni=np.linalg.inv(small),
        image=image,
        tissue=tissue_statistics(known.labels, image),
    )


def write_sick_head(
    path: Path, spacing: Sequence[float] = (1.0, 1.0, 1.2), axes: Sequence[int] = (2, 0, 1), tilt: float = 5.0
) -> Path:
    """The head as a file: tilted about the x axis, its voxels stored with `axes`, the first of them backwards."""
    known = sick_anatomy()
    extent = np.asarray(known.labels.shape) * 2.0 * SIZE
    shape = tuple(int(np.ceil(n / mm)) for n, mm in zip(extent, spacing, strict=True))
    angle = np.radians(tilt)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    middle = known.affine[:3, :3] @ ((np.asarray(known.labels.shape) - 1) / 2) + known.affine[:3, 3]
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    image = resample_linear(known.image, known.affine, shape, affine)  # type: ignore[arg-type]
    order = np.zeros((4, 4))
    order[3, 3] = 1
    for stored, ras in enumerate(axes):
        order[ras, stored] = -1 if stored == 0 else 1
        order[ras, 3] = shape[ras] - 1 if stored == 0 else 0
    stored_image = np.transpose(image, axes)[::-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.ascontiguousarray(np.rint(stored_image), np.int16), affine @ order), path)
    return path
