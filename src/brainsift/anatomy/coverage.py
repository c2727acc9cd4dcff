"""Share of the brain that the field of view cuts off.

The complete average brain is laid over the scan, and what falls outside is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.fov import INSIDE, FieldOfView
from brainsift.anatomy.mni_reference import MniReference
from brainsift.anatomy.moments import TissueCloud
from brainsift.anatomy.normalise import padding_value, sample_voxels
from brainsift.scans.volume import Volume

Float64 = NDArray[np.float64]

CONTACT_DEPTH_MM = 3.0
"""Brain this close to a face touches it: one and a half working voxels, since resampling softens the outermost one."""

MIN_CONTACT_MM2 = 1200.0
"""A face cuts the brain when this much brain lies on it; losing one percent at the crown leaves about 3,500 mm².

A brainstem alone (about 500 mm²) may leave the scan, since it has to end somewhere, and so may the bulge of a tightly
cropped brain (up to about 1,000 mm²).
"""


ROTATED = 1e-3
"""Voxels off-axis per voxel of the working grid, above rounding: the grid does not follow the scan's own axes."""


@dataclass(frozen=True)
class Coverage:
    """What of the brain was seen.

    Attributes
    ----------
    outside_fov : share [0, 1] of the average brain's volume outside the field of view.
    cut_faces : numbers (0-5) of the faces that cut it, in the order of `FieldOfView`.
    """

    outside_fov: float
    cut_faces: tuple[int, ...]


def estimate_coverage(
    cloud: TissueCloud, to_mni: Float64 | None, fov: FieldOfView, reference: MniReference
) -> Coverage:
    """Compare the complete average brain with the field of view, face by face.

    A face through which the average brain seems to leave counts only if labelled brain touches it, so a tight crop
    around a whole brain, or a person with a smaller brain than average, is not called cut.

    Parameters
    ----------
    cloud : brain voxels of the scan, mm.
    to_mni : 4x4 scan mm → MNI152 mm, or ``None``: the brain is then judged from its volume alone.
    fov : what the scan saw.
    reference : the average brain.
    """
    cut = np.flatnonzero(contact_area(cloud, fov) >= MIN_CONTACT_MM2)
    faces = tuple(int(face) for face in cut)
    if to_mni is None:
        return Coverage(max(_missing_volume(cloud, reference), _smallest_loss(fov, reference)), faces)
    to_scan = np.linalg.inv(to_mni)
    leaves = fov.face_of(reference.cloud.points @ to_scan[:3, :3].T + to_scan[:3, 3])
    lost = np.bincount(leaves - INSIDE, reference.cloud.mass, 7)[1:]
    share = float(lost[cut].sum() / reference.cloud.mass.sum())
    return Coverage(max(share, _smallest_loss(fov, reference)), faces)


def contact_area(cloud: TissueCloud, fov: FieldOfView) -> Float64:
    """Area of brain on each of the six faces, mm²."""
    near = fov.depths(cloud.points) < CONTACT_DEPTH_MM
    area: Float64 = (near * cloud.mass[:, None]).sum(axis=0) / CONTACT_DEPTH_MM
    return area


def seen_box(volume: Volume, grid: NDArray[np.float32], grid_affine: Float64) -> FieldOfView:
    """The scan's field of view without the planes at its ends that hold padding only.

    Slabs that were resampled into a larger, zero-filled array are cut where the zeros begin.

    Parameters
    ----------
    volume : the scan.
    grid, grid_affine : (X, Y, Z) and 4x4, the scan on its working grid. One that is rotated against the scan tells
        nothing about the scan's planes: the field of view is then taken whole.
    """
    whole = FieldOfView.of_grid(volume.shape, volume.affine)
    padding = padding_value(sample_voxels(grid))
    to_volume = np.linalg.inv(volume.affine) @ grid_affine
    off_axis = np.abs(to_volume[:3, :3] - np.diag(np.diag(to_volume[:3, :3]))).max()
    if padding is None or off_axis > ROTATED:
        return whole
    lower, upper = whole.lower.copy(), whole.upper.copy()
    filled = grid != np.float32(padding)
    for axis in range(3):
        planes = np.flatnonzero(filled.any(axis=tuple(a for a in range(3) if a != axis)))
        if len(planes):
            ends = np.array([planes[0] - 0.5, planes[-1] + 0.5]) * to_volume[axis, axis] + to_volume[axis, 3] + 0.5
            lower[axis], upper[axis] = np.clip(ends, 0.0, volume.shape[axis])
    return FieldOfView(volume.affine, lower, upper)


def _smallest_loss(fov: FieldOfView, reference: MniReference) -> float:
    """What must be lost even if brain filled the whole field of view."""
    box_ml = float(np.prod((fov.upper - fov.lower) * fov.spacing)) / 1000.0
    return float(np.clip(1.0 - box_ml / _expected_ml(reference), 0.0, 1.0))


def _missing_volume(cloud: TissueCloud, reference: MniReference) -> float:
    return float(np.clip(1.0 - cloud.mass.sum() / 1000.0 / _expected_ml(reference), 0.0, 1.0))


def _expected_ml(reference: MniReference) -> float:
    return float(np.exp(reference.log_volume_mean).sum())
