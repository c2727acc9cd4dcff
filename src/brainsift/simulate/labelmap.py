"""Label maps in the FreeSurfer convention, brought to RAS+ and cropped to the head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

HEAD_MARGIN_MM = 4.0
"""Air kept around the head, so that a deformation never samples past the edge of the head itself."""

VENTRICLE_LABELS = (4, 5, 14, 31, 43, 44, 63, 72)
"""FreeSurfer lateral, inferior lateral and third ventricles with their choroid plexus."""

COARSE_MM = 4.0
"""Grid of smooth fields (deformation, distance to the ventricles): far below their correlation length."""


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A head or brain as labels.

    Attributes
    ----------
    codes : uint8 (X, Y, Z), RAS+, index into `values`.
    values : int (n,), sorted FreeSurfer labels; `values[0]` is 0.
    spacing_mm : voxel size, isotropic to within 1 %.
    centre : (3,), voxel coordinates of the brain's centre of mass (of all labels, where there is no brain).
    pull : float32 (3, x, y, z), on a coarse grid of `COARSE_MM`: unit vector towards the ventricles times
        exp(-distance / decay), used to enlarge or shrink them.
    """

    codes: NDArray[np.uint8]
    values: NDArray[np.int64]
    spacing_mm: float
    centre: NDArray[np.float64]
    pull: NDArray[np.float32]


def make_label_map(labels: NDArray[np.integer], spacing_mm: float) -> LabelMap:
    """Make a `LabelMap` from RAS+ labels (X, Y, Z)."""
    if labels.ndim != 3 or not labels.any():
        raise ValueError(f"a label map is a 3D array with at least one label, got shape {labels.shape}")
    margin = int(np.ceil(HEAD_MARGIN_MM / spacing_mm))
    box = ndimage.find_objects((labels > 0).astype(np.uint8))[0]
    cropped = np.pad(labels[box], margin)
    values = np.flatnonzero(np.bincount(cropped.ravel()))
    if values.size > 256:
        raise ValueError(f"a label map may hold 255 labels at the most, got {values.size - 1}")
    table = np.zeros(int(values[-1]) + 1, np.uint8)
    table[values] = np.arange(values.size)
    codes = table[cropped]
    brain = (cropped > 0) & (cropped < 500)
    centre = np.array(ndimage.center_of_mass(brain if brain.any() else cropped > 0))
    pull = _pull_to_ventricles(np.isin(cropped, VENTRICLE_LABELS), spacing_mm)
    return LabelMap(codes, values.astype(np.int64), spacing_mm, centre, pull)


def load_label_map(path: Path) -> LabelMap:
    """Read a label map in any orientation.

    Raises
    ------
    ValueError
        if the voxels are not isotropic or the values are not whole numbers.
    """
    import nibabel as nib

    image: Any = nib.as_closest_canonical(nib.load(path))  # type: ignore[no-untyped-call]
    spacing = np.asarray(image.header.get_zooms()[:3], dtype=float)
    if spacing.max() / spacing.min() > 1.01:
        raise ValueError(f"{path.name}: label maps must be isotropic, got voxels of {spacing.tolist()} mm; resample it")
    array = np.asanyarray(image.dataobj)
    labels = array.astype(np.int32)
    if not np.array_equal(labels, array) or labels.min() < 0:
        raise ValueError(
            f"{path.name}: a label map holds whole numbers from 0 on, got others; give the label map, not the scan"
        )
    return make_label_map(labels, float(spacing.mean()))


def coarse_step(spacing_mm: float) -> int:
    """Voxels from one point of the coarse grid to the next; `COARSE_MM` or as near as whole voxels come to it."""
    return max(1, round(COARSE_MM / spacing_mm))


def _pull_to_ventricles(
    ventricles: NDArray[np.bool_], spacing_mm: float, decay_mm: float = 14.0
) -> NDArray[np.float32]:
    step = coarse_step(spacing_mm)
    coarse = ventricles[::step, ::step, ::step]
    if not coarse.any():
        return np.zeros((3, *coarse.shape), np.float32)
    distance = ndimage.gaussian_filter(
        ndimage.distance_transform_edt(~coarse) - ndimage.distance_transform_edt(coarse), 0.7
    )
    gradient = np.stack(np.gradient(distance))
    norm = np.maximum(np.linalg.norm(gradient, axis=0), 1e-3)
    weight = np.exp(-np.abs(distance) * step * spacing_mm / decay_mm)
    pull: NDArray[np.float32] = (-gradient / norm * weight).astype(np.float32)
    return pull
