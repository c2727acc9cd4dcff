"""How an older head lies in a scan: its shape, its ventricles and sulci, its field of view."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.atlas import RIGHT_OF_LEFT
from brainsift.simulate.deform import Deformation, DeformRanges, deform, draw_deformation
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.ground import without_own_lesions
from brainsift.simulate.sulci import widen_sulci

HEADS = DeformRanges(
    rotation_deg=14, scale=0.10, stretch=0.05, shear=0.04, shift_mm=6, elastic_mm=2.5, elastic_fine_mm=0.9
)
"""Heads of grown people of all sizes, lying as well as they can."""

VENTRICLE_MM = (-1.0, 5.0)
"""Displacement of the ventricles' wall in the young and in the old: it about triples their volume."""

BRAIN_AT_MM = (0.0, -14.0, 18.0)
"""Mean place of the brain's centre in a whole-head field of view: the face lies before it, the neck below."""

BRAIN_ROOM_MM = (8.0, 22.0)
"""Kept around the brain where the field of view ends at it: skull and scalp, no neck."""

BRAIN_FIELD_MM = (196.0, 236.0, 200.0)
"""Holds any adult brain in any pose, to be cropped."""


@dataclass(frozen=True)
class Pose:
    """What was drawn of a head's shape.

    Attributes
    ----------
    deformation : of the label map.
    sulci_share, sulci_seed : cortex at the sulci that is lost.
    extent_mm : (3,), field of view of a whole head; ignored where `whole_head` is False.
    whole_head : False for a field of view that ends at the brain.
    room_mm : kept around the brain then.
    """

    deformation: Deformation
    sulci_share: float
    sulci_seed: int
    extent_mm: tuple[float, float, float]
    whole_head: bool
    room_mm: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_pose(rng: np.random.Generator, age: float, whole_head: bool) -> Pose:
    """Draw a pose; `age` is 0 for a young and 1 for a very old brain."""
    deformation = draw_deformation(rng, HEADS)
    growth = VENTRICLE_MM[0] + age * (VENTRICLE_MM[1] - VENTRICLE_MM[0]) + float(rng.normal(0, 0.8))
    shift = np.asarray(deformation.shift_mm)
    if whole_head:
        shift = np.asarray(BRAIN_AT_MM) + shift * (0.7, 1.0, 1.0)
    x, y, z = (float(v) for v in rng.uniform((166, 204, 190), (190, 240, 225)))
    return Pose(
        deformation=replace(deformation, ventricle_mm=growth, shift_mm=tuple(shift.tolist())),
        sulci_share=float(age * rng.uniform(0, 0.7)),
        sulci_seed=int(rng.integers(2**31)),
        extent_mm=(x, y, z),
        whole_head=whole_head,
        room_mm=float(rng.uniform(*BRAIN_ROOM_MM)),
    )


def lay_head(head: LabelMap, pose: Pose, fine_mm: float) -> LabelMap:
    """The deformed head on a grid of `fine_mm`, as a label map of its own; 0.4 s at 1 mm.

    A mirrored head is another head: its left is named left again. Lesions that it had are white matter.

    Raises
    ------
    ValueError
        if the head has no brain.
    """
    extent = pose.extent_mm if pose.whole_head else BRAIN_FIELD_MM
    x, y, z = (round(mm / fine_mm) for mm in extent)
    named = without_own_lesions(head)
    codes = deform(named, pose.deformation, (x, y, z), fine_mm)
    values = _mirrored(named.values) if pose.deformation.mirror else named.values
    is_brain, _ = brain_and_csf(values)
    found = ndimage.find_objects(is_brain[codes].astype(np.uint8))
    if not found:
        raise ValueError(f"the label map holds no brain, only labels {values.tolist()}; give a head with one")
    centre = (np.array([x, y, z]) - 1) / 2 + np.asarray(pose.deformation.shift_mm) / fine_mm
    if not pose.whole_head:
        room = round(pose.room_mm / fine_mm)
        box = tuple(slice(max(0, s.start - room), s.stop + room) for s in found[0])
        codes = np.ascontiguousarray(codes[box])
        centre = centre - [s.start for s in box]
    laid = LabelMap(codes, values, fine_mm, centre, np.zeros((3, 1, 1, 1), np.float32))
    return widen_sulci(laid, pose.sulci_share, pose.sulci_seed)


def _mirrored(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Left labels for right ones and the other way around, code by code."""
    other = RIGHT_OF_LEFT | {right: left for left, right in RIGHT_OF_LEFT.items()}
    return np.array([other.get(int(value), int(value)) for value in values], np.int64)
