"""Where lesions may lie: the white matter of a head, and how far each voxel is from ventricles and cortex."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.deface.frame import LENGTH_MM, TOP_MM, WIDTH_MM, frame_of
from brainsift.simulate.freesurfer import CORTEX, LATERAL_VENTRICLES, WHITE
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]

ALL_WHITE = (*WHITE, 77, 78, 79, 251, 252, 253, 254, 255)
OLD_LESION = (25, 57)
"""FreeSurfer's lesion labels: a person's own lesions, which lie in white matter."""
VENTRICLES = (*LATERAL_VENTRICLES, 5, 44, 31, 63)
CEREBELLAR_WHITE = (7, 46)
BRAINSTEM = (16,)
DEEP_GREY = (10, 11, 12, 13, 26, 49, 50, 51, 52, 58)
LENTIFORM = (12, 13, 51, 52)

FAR_MM = 999.0
"""Distance to what is not there."""

MARGIN_VOXELS = 2
"""Of the box around the brain."""

BRAIN_BOTTOM_MM = -70.0
"""Of MNI152's cerebellum; only where deep structures are missing and the brain's box has to place the head."""

TIP_SHARE = 0.04
"""Share of a lateral ventricle's voxels, by place from front to back, that makes the tip of its horn."""


@dataclass(frozen=True, eq=False)
class Ground:
    """A head seen by what can happen to its white matter; all arrays are those of the box around the brain.

    Attributes
    ----------
    box : of the brain in the head's grid.
    spacing_mm : isotropic.
    labels : int16 (X, Y, Z), FreeSurfer labels; a person's own lesions count as white matter.
    white, infratentorial : bool (X, Y, Z), cerebral white matter; white matter of the cerebellum and brainstem.
    ventricle : bool (X, Y, Z), lateral ventricles.
    ventricle_mm, cortex_mm : float32 (X, Y, Z), distance from the lateral ventricles' wall and from the cortex.
    to_mni : 4x4, voxel of the box → mm of MNI152.
    """

    box: Box
    spacing_mm: float
    labels: NDArray[np.int16]
    white: Mask
    infratentorial: Mask
    ventricle: Mask
    ventricle_mm: Float32
    cortex_mm: Float32
    to_mni: Float64

    @property
    def shape(self) -> tuple[int, int, int]:
        """(X, Y, Z) of the box."""
        x, y, z = self.labels.shape
        return x, y, z

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return self.spacing_mm**3 / 1000

    @cached_property
    def outside_mm(self) -> Float32:
        """Distance of brainstem and cerebellar white matter from all else, (X, Y, Z)."""
        found = ndimage.find_objects(self.infratentorial.astype(np.uint8))
        inside = np.zeros(self.shape, np.float32)
        if found:
            x, y, z = (slice(max(0, s.start - 1), s.stop + 1) for s in found[0])
            inside[x, y, z] = _distance(~self.infratentorial[x, y, z], self.spacing_mm)
        return inside

    def mni(self, voxels: Float64) -> Float64:
        """Voxels (n, 3) of the box in mm of MNI152."""
        at: Float64 = voxels @ self.to_mni[:3, :3].T + self.to_mni[:3, 3]
        return at

    def horn_tips(self) -> Float64:
        """Voxels (n, 2, 3) of the box at which frontal and occipital horn of each lateral ventricle end; n up to 2."""
        at = np.argwhere(self.ventricle).astype(float)
        if not len(at):
            return np.zeros((0, 2, 3))
        mni = self.mni(at)
        tips = []
        for side in (-1, 1):
            mine, where = at[side * mni[:, 0] > 0], mni[side * mni[:, 0] > 0]
            # The temporal horn ends in front too, but lower.
            upper = where[:, 2] > np.median(where[:, 2]) - 12 if len(where) else np.zeros(0, bool)
            if np.count_nonzero(upper) < 2 / TIP_SHARE:
                continue
            mine, along = mine[upper], where[upper, 1]
            low, high = np.quantile(along, [TIP_SHARE, 1 - TIP_SHARE])
            tips.append([mine[along >= high].mean(axis=0), mine[along <= low].mean(axis=0)])
        return np.asarray(tips).reshape(-1, 2, 3)


@lru_cache(maxsize=1)
def ground_of(head: LabelMap) -> Ground:
    """Look at a head; 0.6 s at 1 mm. The last one is kept, for drawing and placing ask for the same.

    Raises
    ------
    ValueError
        if the head has no cerebral white matter.
    """
    values = head.values
    if not np.isin(values, ALL_WHITE).any():
        raise ValueError(
            f"lesions lie in white matter (labels 2 and 41), but the label map has {values.tolist()}; give a whole one"
        )
    is_brain, _ = brain_and_csf(values)
    found = ndimage.find_objects(is_brain[head.codes].astype(np.uint8))[0]
    x, y, z = (
        slice(max(0, s.start - MARGIN_VOXELS), min(n, s.stop + MARGIN_VOXELS))
        for s, n in zip(found, head.codes.shape, strict=True)
    )
    table = values.astype(np.int16)
    table[np.isin(values, OLD_LESION)] = 2
    labels = table[head.codes[x, y, z]]
    ventricle, cortex = np.isin(labels, VENTRICLES), np.isin(labels, CORTEX)
    to_mni = _frame(head, found)
    to_mni = to_mni @ np.block([[np.eye(3), np.array([[x.start], [y.start], [z.start]])], [np.zeros((1, 3)), 1.0]])
    return Ground(
        box=(x, y, z),
        spacing_mm=head.spacing_mm,
        labels=labels,
        white=np.isin(labels, ALL_WHITE),
        infratentorial=np.isin(labels, (*CEREBELLAR_WHITE, *BRAINSTEM)),
        ventricle=ventricle,
        ventricle_mm=_distance(ventricle, head.spacing_mm),
        cortex_mm=_distance(cortex, head.spacing_mm),
        to_mni=to_mni,
    )


def _distance(mask: Mask, spacing_mm: float) -> Float32:
    if not mask.any():
        return np.full(mask.shape, FAR_MM, np.float32)
    distance: Float32 = ndimage.distance_transform_edt(~mask, sampling=spacing_mm).astype(np.float32)
    return distance


def _frame(head: LabelMap, brain: tuple[slice, ...]) -> Float64:
    """Voxel of the head → MNI152, from deep structures or, where they are not labelled, from the brain's box."""
    try:
        return frame_of(head)
    except ValueError:
        low, high = np.array([[s.start, s.stop - 1] for s in brain], float).T
        first = np.array([WIDTH_MM[0], LENGTH_MM[0], BRAIN_BOTTOM_MM])
        last = np.array([WIDTH_MM[1], LENGTH_MM[1], TOP_MM])
        scale = (last - first) / np.maximum(high - low, 1)
        affine = np.diag([*scale, 1.0])
        affine[:3, 3] = first - scale * low
        return affine


def without_own_lesions(head: LabelMap) -> LabelMap:
    """The same head with FreeSurfer's lesion labels as white matter of their side: now it is known what is in it."""
    values = head.values.copy()
    for old, white in zip(OLD_LESION, WHITE, strict=True):
        values[values == old] = white
    return replace(head, values=values)
