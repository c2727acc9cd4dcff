"""A head made of ellipsoids, with the labels of a real one: enough to test on, in a few kilobytes of time."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

SPACING_MM = 2.0
SHAPE = (84, 104, 120)
CENTRE_MM = np.array([84.0, 96.0, 150.0])
"""Of the brain, from voxel (0, 0, 0)."""

SOFT, FAT, BONE, EYE = 507, 511, 515, 506

# Label, centre and half-axes in mm about the brain's centre, in the order of painting; of a pair, the left one.
_OUTSIDE = (
    (FAT, (0, 0, 10), (78, 94, 84)),
    (SOFT, (0, 20, -60), (60, 70, 85)),
    (SOFT, (0, 100, -45), (10, 14, 12)),
    (BONE, (0, 0, 8), (72, 88, 76)),
    (24, (0, 0, 6), (67, 83, 70)),
)
_PAIRED = (
    (EYE, (-30, 75, -28), (12, 12, 12)),
    (3, (-31, 0, 10), (29, 76, 56)),
    (2, (-30, 0, 10), (22, 64, 44)),
    (8, (-22, -48, -40), (21, 24, 18)),
    (7, (-20, -46, -40), (10, 12, 8)),
    (4, (-12, 0, 18), (5, 30, 8)),
    (10, (-10, -12, 6), (7, 12, 8)),
    (11, (-16, 14, 8), (4, 12, 8)),
    (12, (-26, 4, 2), (5, 12, 8)),
    (13, (-19, 2, 0), (4, 7, 6)),
    (17, (-26, -18, -16), (5, 14, 5)),
    (18, (-24, 2, -18), (6, 6, 6)),
)
_RIGHT = {2: 41, 3: 42, 4: 43, 7: 46, 8: 47, 10: 49, 11: 50, 12: 51, 13: 52, 17: 53, 18: 54, EYE: EYE}
_MIDLINE = ((14, (0, -6, 4), (2, 10, 6)), (15, (0, -36, -32), (5, 5, 5)), (16, (0, -22, -36), (10, 9, 24)))


def phantom_labels(size: float = 1.0, spacing_mm: float = SPACING_MM) -> NDArray[np.int32]:
    """Labels (X, Y, Z), RAS+, of a head `size` times the usual."""
    shape = [round(n * SPACING_MM / spacing_mm) for n in SHAPE]
    axes = [(np.arange(n) * spacing_mm - c) / size for n, c in zip(shape, CENTRE_MM, strict=True)]
    labels = np.zeros(shape, np.int32)
    for label, centre, half in _OUTSIDE:
        _paint(labels, axes, label, centre, half)
    for label, (x, y, z), half in _PAIRED:
        _paint(labels, axes, label, (x, y, z), half)
        _paint(labels, axes, _RIGHT[label], (-x, y, z), half)
    for label, centre, half in _MIDLINE:
        _paint(labels, axes, label, centre, half)
    return labels


def _paint(
    labels: NDArray[np.int32],
    axes: list[NDArray[np.float64]],
    label: int,
    centre: tuple[float, ...],
    half: tuple[float, ...],
) -> None:
    x, y, z = (((a - c) / h) ** 2 for a, c, h in zip(axes, centre, half, strict=True))
    labels[x[:, None, None] + y[None, :, None] + z[None, None] <= 1] = label


def write_phantom(path: Path, size: float = 1.0) -> Path:
    """A head of ellipsoids as a NIfTI file."""
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    nib.save(nib.Nifti1Image(phantom_labels(size).astype(np.int16), affine), path)
    return path
