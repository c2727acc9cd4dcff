"""Which region of the brain a marked voxel lies in, and how far from the ventricles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import fill_holes, is_any, main_pieces
from brainsift.anatomy.labels import BRAIN, Tissue
from brainsift.anatomy.nearness import border_distance, values_at, voxels_at
from brainsift.anatomy.regions import JUXTACORTICAL_MM, MAX_DISTANCE_MM, PERIVENTRICULAR_MM, spacing_mm
from brainsift.anatomy.ventricles import lateral_ventricles
from brainsift.tasks.wmh.marked import Marked

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

INFRATENTORIAL = (Tissue.BRAINSTEM, Tissue.CEREBELLUM)
PARENCHYMA = tuple(tissue for tissue in BRAIN if tissue is not Tissue.VENTRICLES)

CORTEX_PIECE_SHARE = 0.05
"""Smaller islands of cortex, beside the largest piece, are lesions that the anatomy pass took for grey matter."""


class Region(IntEnum):
    """Where white matter lies, asked in this order: the first that holds.

    Infratentorial: brainstem and cerebellum. Periventricular: less than 10 mm from the lateral ventricles (Griffanti
    2018, NeuroImage 170:174). Juxtacortical: within 4 mm of the cortex (Kim 2008, Biol Psychiatry 64:273). Deep: the
    rest.
    """

    PERIVENTRICULAR = 0
    JUXTACORTICAL = 1
    DEEP = 2
    INFRATENTORIAL = 3

    @property
    def word(self) -> str:
        """In names of measurements and in tables."""
        return self.name.lower()


@dataclass(frozen=True, eq=False)
class Places:
    """Of each marked voxel.

    Attributes
    ----------
    region : uint8 (N,), values of `Region`.
    ventricle_mm : float32 (N,), from the border of the lateral ventricles, below 0 inside of them.
    in_brain : bool (N,), whether the anatomy pass has brain there that is not ventricle.
    """

    region: NDArray[np.uint8]
    ventricle_mm: Float32
    in_brain: Bool


def find_places(marked: Marked, anatomy: Anatomy) -> Places:
    """Region of each marked voxel.

    In T1w a lesion is as dark as grey matter or darker, and the anatomy pass may call it cortex or ventricle: what is
    marked counts as neither here, or every such lesion would touch one or the other.
    """
    if not len(marked.index):
        return Places(np.zeros(0, np.uint8), np.zeros(0, np.float32), np.zeros(0, np.bool_))
    at = voxels_at(anatomy.labels.shape, anatomy.affine, marked.mm)
    lesion = _mostly_marked(anatomy, at, marked.voxel_mm3)
    cortex = main_pieces((anatomy.labels == Tissue.CORTEX) & ~lesion, CORTEX_PIECE_SHARE)
    ventricle_mm = _distance(anatomy, lateral_ventricles(anatomy) & ~lesion, marked)
    cortex_mm = _distance(anatomy, cortex, marked)
    region = np.full(len(marked.index), Region.DEEP, np.uint8)
    region[cortex_mm <= JUXTACORTICAL_MM] = Region.JUXTACORTICAL
    region[ventricle_mm < PERIVENTRICULAR_MM] = Region.PERIVENTRICULAR
    region[_is_infratentorial(anatomy, at)] = Region.INFRATENTORIAL
    return Places(region, ventricle_mm, is_any(anatomy.labels, PARENCHYMA)[at])


def _distance(anatomy: Anatomy, structure: Bool, marked: Marked) -> Float32:
    return values_at(border_distance(anatomy, structure), anatomy.affine, marked.mm, MAX_DISTANCE_MM)


def _mostly_marked(anatomy: Anatomy, at: tuple[NDArray[np.intp], ...], voxel_mm3: float) -> Bool:
    """Voxels of the working grid of which half or more is marked, bool (X, Y, Z)."""
    shape = anatomy.labels.shape
    counts = np.bincount(np.ravel_multi_index(at, shape), minlength=anatomy.labels.size).reshape(shape)
    mostly: Bool = counts * (2 * voxel_mm3) >= float(np.prod(spacing_mm(anatomy)))
    return mostly


def _is_infratentorial(anatomy: Anatomy, at: tuple[NDArray[np.intp], ...]) -> Bool:
    """Whether the nearest parenchyma of each voxel is brainstem or cerebellum: a lesion there may be labelled as
    fluid."""
    from scipy.ndimage import distance_transform_edt

    below = fill_holes(is_any(anatomy.labels, INFRATENTORIAL))
    known = below | is_any(anatomy.labels, PARENCHYMA)
    if known[at].all() or not below.any():
        return np.asarray(below[at])
    nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(below[tuple(axis[at] for axis in nearest)])
