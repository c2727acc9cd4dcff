"""Distances and regions of the brain on the working grid: where a lesion or a bleed lies."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box, is_any
from brainsift.anatomy.labels import Tissue

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

PERIVENTRICULAR_MM = 10.0
"""White matter this close to a ventricle is periventricular (Griffanti 2018, NeuroImage 170:174)."""

JUXTACORTICAL_MM = 4.0
"""White matter this close to the cortex is juxtacortical: subcortical U-fibres are 2-4 mm thick."""

MAX_DISTANCE_MM = 120.0
"""Reported where the structure is not in the scan at all."""


class Region(IntEnum):
    """Regions of the Microbleed Anatomical Rating Scale (Gregoire 2009, Neurology 73:1759)."""

    OUTSIDE = 0
    LOBAR = 1
    DEEP = 2
    INFRATENTORIAL = 3


def spacing_mm(anatomy: Anatomy) -> NDArray[np.float64]:
    """Voxel size of the working grid, mm, (3,)."""
    spacing: NDArray[np.float64] = np.sqrt((anatomy.affine[:3, :3] ** 2).sum(axis=0))
    return spacing


def distance_to(anatomy: Anatomy, tissues: tuple[Tissue, ...]) -> Float32:
    """Distance in mm of every brain voxel to the nearest voxel of `tissues`, float32 (X, Y, Z).

    Outside the brain's bounding box, and where the scan has none of `tissues`, it is `MAX_DISTANCE_MM`.
    """
    from scipy.ndimage import distance_transform_edt

    target = is_any(anatomy.labels, tissues)
    result = np.full(target.shape, MAX_DISTANCE_MM, dtype=np.float32)
    box = bounding_box(anatomy.brain | target if Tissue.CSF not in tissues else anatomy.brain, margin=1)
    if target[box].any():
        distance = distance_transform_edt(~target[box], sampling=spacing_mm(anatomy))
        result[box] = np.minimum(distance, MAX_DISTANCE_MM)
    return result


def ventricle_distance(anatomy: Anatomy) -> Float32:
    """Distance to the ventricles, mm, float32 (X, Y, Z); periventricular below `PERIVENTRICULAR_MM`."""
    return distance_to(anatomy, (Tissue.VENTRICLES,))


def cortex_distance(anatomy: Anatomy) -> Float32:
    """Distance to the cerebral cortex, mm, float32 (X, Y, Z); juxtacortical below `JUXTACORTICAL_MM`."""
    return distance_to(anatomy, (Tissue.CORTEX,))


def periventricular(anatomy: Anatomy) -> Mask:
    """White matter within `PERIVENTRICULAR_MM` of a ventricle."""
    near: Mask = (anatomy.labels == Tissue.WHITE) & (ventricle_distance(anatomy) < PERIVENTRICULAR_MM)
    return near


def juxtacortical(anatomy: Anatomy) -> Mask:
    """White matter within `JUXTACORTICAL_MM` of the cortex."""
    near: Mask = (anatomy.labels == Tissue.WHITE) & (cortex_distance(anatomy) < JUXTACORTICAL_MM)
    return near


def region_map(anatomy: Anatomy) -> NDArray[np.uint8]:
    """Lobar, deep or infratentorial for every voxel of the brain, uint8 (X, Y, Z) of `Region`.

    Deep are the deep grey nuclei and the white matter within `PERIVENTRICULAR_MM` of a ventricle or within 4 mm of the
    nuclei (internal and external capsule, corpus callosum); infratentorial are brainstem and cerebellum; the rest is
    lobar.
    """
    labels = anatomy.labels
    regions = np.where(anatomy.brain, np.uint8(Region.LOBAR), np.uint8(Region.OUTSIDE))
    white = labels == Tissue.WHITE
    capsules = white & (distance_to(anatomy, (Tissue.DEEP_GREY,)) < CAPSULE_MM)
    deep = is_any(labels, (Tissue.DEEP_GREY, Tissue.VENTRICLES)) | capsules | periventricular(anatomy)
    regions[deep & anatomy.brain] = Region.DEEP
    regions[is_any(labels, (Tissue.BRAINSTEM, Tissue.CEREBELLUM)) & anatomy.brain] = Region.INFRATENTORIAL
    return regions


CAPSULE_MM = 4.0
"""White matter this close to the deep nuclei is capsule, not lobe."""


def head_mask(anatomy: Anatomy) -> Mask:
    """Head and all in it, holes filled, bool (X, Y, Z)."""
    from brainsift.anatomy.cleaning import fill_holes, main_pieces

    return fill_holes(main_pieces(anatomy.labels != Tissue.BACKGROUND, 1.0))


def head_surface(anatomy: Anatomy) -> Mask:
    """Outermost layer of voxels of the head, bool (X, Y, Z)."""
    from scipy.ndimage import binary_erosion

    head = head_mask(anatomy)
    surface = np.zeros_like(head)
    box = bounding_box(head, margin=1)
    surface[box] = head[box] & ~binary_erosion(head[box], border_value=0)
    return surface
