"""Share of the brain that the field of view cuts off: the average brain is laid over the scan, and what falls outside is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.fov import INSIDE, FieldOfView
from brainsift.anatomy.mni_reference import MniReference
from brainsift.anatomy.moments import TissueCloud

Float64 = NDArray[np.float64]

CONTACT_DEPTH_MM = 3.0
"""Brain this close to a face touches it: one and a half working voxels, since resampling softens the outermost one."""

MIN_CONTACT_MM2 = 600.0
"""A face cuts the brain when this much brain lies on it. A brainstem alone (about 500 mm²) may leave the scan: it has to end somewhere."""


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

    A face through which the average brain seems to leave counts only if labelled brain touches it, so a tight crop around a
    whole brain, or a person with a smaller brain than average, is not called cut.

    Parameters
    ----------
    cloud : brain voxels of the scan, mm.
    to_mni : 4x4 scan mm → MNI152 mm, or ``None``: the brain is then judged from its volume alone.
    fov : what the scan saw.
    reference : the average brain.
    """
    cut = np.flatnonzero(contact_area(cloud, fov) >= MIN_CONTACT_MM2)
    if to_mni is None:
        return Coverage(_missing_volume(cloud, reference), tuple(int(face) for face in cut))
    to_scan = np.linalg.inv(to_mni)
    faces = fov.face_of(reference.cloud.points @ to_scan[:3, :3].T + to_scan[:3, 3])
    lost = np.bincount(faces - INSIDE, reference.cloud.mass, 7)[1:]
    share = float(lost[cut].sum() / reference.cloud.mass.sum())
    return Coverage(share, tuple(int(face) for face in cut))


def contact_area(cloud: TissueCloud, fov: FieldOfView) -> Float64:
    """Area of brain on each of the six faces, mm²."""
    near = fov.depths(cloud.points) < CONTACT_DEPTH_MM
    area: Float64 = (near * cloud.mass[:, None]).sum(axis=0) / CONTACT_DEPTH_MM
    return area


def _missing_volume(cloud: TissueCloud, reference: MniReference) -> float:
    expected = float(np.exp(reference.log_volume_mean).sum()) * 1000.0
    return float(np.clip(1.0 - cloud.mass.sum() / expected, 0.0, 1.0))
