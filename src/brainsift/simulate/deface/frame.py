"""Where a head lies relative to MNI152: an affine from the centres of deep structures and the extents of the brain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.deform import Deformation
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap

Float64 = NDArray[np.float64]

CENTRES_MM: dict[int, tuple[float, float, float]] = {
    10: (-10, -19, 6), 49: (11, -18, 7), 11: (-13, 9, 10), 50: (14, 10, 10), 12: (-25, 0, 0), 51: (26, 2, 0),
    13: (-19, -5, -1), 52: (20, -4, -1), 17: (-25, -23, -14), 53: (26, -21, -14), 18: (-23, -5, -18), 54: (24, -4, -18),
}  # fmt: skip
"""FreeSurfer label → centre of that structure in MNI152, mm, rounded, from the Harvard-Oxford subcortical atlas
(Desikan 2006, NeuroImage 31:968)."""

WIDTH_MM = (-70.0, 70.0)
LENGTH_MM = (-105.0, 73.0)
TOP_MM = 80.0
"""Where the brain of MNI152 (6th generation) ends. Its lower end is convention: where is a brainstem cut?"""

END_SHARE = 0.001
"""Share of brain voxels that counts as the end of the brain; single voxels are noise of the label map."""

MIN_CENTRES = 4
"""Four points that lie in no plane give a rotation."""


def frame_of(head: LabelMap) -> Float64:
    """Affine (4, 4), voxels of a label map → mm of MNI152.

    Rotation from the deep structures, size along each axis from the extents of the brain.

    Raises
    ------
    ValueError
        if fewer than four of the deep structures are labelled.
    """
    values = head.values.tolist()
    found = [label for label in CENTRES_MM if label in values]
    if len(found) < MIN_CENTRES:
        raise ValueError(
            f"a face is found relative to deep structures, but the label map holds {len(found)} of "
            f"{sorted(CENTRES_MM)}; give a map that labels them"
        )
    indices = [values.index(label) for label in found]
    # Every second voxel places a structure to a tenth of a millimetre in an eighth of the time.
    codes = head.codes[::2, ::2, ::2]
    centres = 2 * np.asarray(ndimage.center_of_mass(np.ones(codes.shape, np.uint8), codes, indices))
    source, target = centres * head.spacing_mm, np.asarray([CENTRES_MM[label] for label in found])
    middle, aim = source.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((target - aim).T @ (source - middle))
    rotation = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    is_brain, _ = brain_and_csf(head.values)
    at = np.argwhere(is_brain[codes]) * (2 * head.spacing_mm)
    turned = (at - middle) @ rotation.T
    low, high = np.quantile(turned, [END_SHARE, 1 - END_SHARE], axis=0)
    scale = np.array([np.ptp(WIDTH_MM), np.ptp(LENGTH_MM), TOP_MM - aim[2]]) / [*(high - low)[:2], high[2]]
    shift = np.array([np.mean(WIDTH_MM), np.mean(LENGTH_MM), TOP_MM]) - scale * [*(low + high)[:2] / 2, high[2]]
    affine = np.eye(4)
    affine[:3, :3] = scale[:, None] * rotation * head.spacing_mm
    affine[:3, 3] = shift - scale * (rotation @ middle)
    return affine


def frame_after(
    to_mni: Float64, head: LabelMap, deformation: Deformation, shape: tuple[int, int, int], spacing_mm: float
) -> Float64:
    """The same for the grid that `deform` made; its small elastic part is left out."""
    mirror = np.diag([-1.0 if deformation.mirror else 1.0, 1.0, 1.0])
    linear = np.asarray(deformation.matrix) @ mirror / head.spacing_mm
    affine = np.eye(4)
    affine[:3, :3] = linear * spacing_mm
    middle = (np.asarray(shape) - 1) / 2 * spacing_mm + np.asarray(deformation.shift_mm)
    affine[:3, 3] = head.centre - linear @ middle
    placed: Float64 = to_mni @ affine
    # Left stays left: a mirrored head is another head, not a head seen in a mirror.
    return np.diag([-1.0, 1.0, 1.0, 1.0]) @ placed if deformation.mirror else placed
