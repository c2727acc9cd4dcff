"""Put a plan's lesions into a head: together they have the load that was asked for, and lie in white matter alone."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.blob import blob_field
from brainsift.simulate.lesions.ground import Box, Float32, Ground, ground_of
from brainsift.simulate.lesions.halo import halo_field
from brainsift.simulate.lesions.kinds import JUXTACORTICAL_MM, PERIVENTRICULAR_MM, Kind
from brainsift.simulate.lesions.plan import Blob, LesionPlan, PlacedLesions

Scalar = TypeVar("Scalar", np.float32, np.int16, np.int8)

NOWHERE = -9.0
"""Level where no lesion is near."""

GROWTH = 3.0
"""Edges by which all lesions may be grown or shrunk to meet the load."""

BISECTIONS = 24

LARGE_ML = 3.0
"""A real shape at the ventricles that is larger counts as confluent."""


class _Canvas:
    """The box around the brain while lesions are laid onto it; where two meet, the deeper one wins."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.level = np.full(ground.shape, NOWHERE, np.float32)
        self.depth_mm = np.zeros(ground.shape, np.float32)
        self.kinds = np.zeros(ground.shape, np.int8)
        self.lesion = np.zeros(ground.shape, np.int16)
        self.count = 0

    def lay_flat(self, voxels: NDArray[np.int64], inside_mm: Float32, edge_mm: float, kind: Kind) -> None:
        """Lay a lesion given by flat indices."""
        self.count += 1
        level = inside_mm / np.float32(edge_mm) + np.float32(0.5)
        wins = level > self.level.ravel()[voxels]
        self._write(voxels[wins], level[wins], inside_mm[wins], kind)

    def lay_blob(self, box: Box, inside_mm: Float32, blob: Blob) -> None:
        """Lay a lesion given on a box, where its kind may lie."""
        ground = self.ground
        kind = blob.kind if blob.kind is not None else _kind_of(ground, box, inside_mm)
        legal = (ground.infratentorial if kind == Kind.INFRATENTORIAL else ground.white)[box]
        if kind == Kind.PERIVENTRICULAR:
            legal = legal & (ground.ventricle_mm[box] < PERIVENTRICULAR_MM)
        local = np.flatnonzero(legal & (inside_mm > -blob.edge_mm * (GROWTH + 1)))
        at = np.unravel_index(local, inside_mm.shape)
        whole = [i + s.start for i, s in zip(at, box, strict=True)]
        voxels = np.ravel_multi_index(tuple(whole), ground.shape).astype(np.int64)
        self.lay_flat(voxels, inside_mm.ravel()[local], blob.edge_mm, kind)

    def _write(self, voxels: NDArray[np.int64], level: Float32, inside_mm: Float32, kind: Kind) -> None:
        self.level.ravel()[voxels] = level
        self.depth_mm.ravel()[voxels] = inside_mm
        self.kinds.ravel()[voxels] = kind
        self.lesion.ravel()[voxels] = self.count


def place_lesions(plan: LesionPlan, head: LabelMap) -> PlacedLesions:
    """Place lesions in a head; 0.4 s at 1 mm, after `ground_of`.

    What is asked for is met by growing or shrinking all lesions together by a little; a head that has no room for the
    load keeps what fits, and `load_ml` says how much that is.

    Parameters
    ----------
    plan : drawn for this head.
    head : any label map with FreeSurfer's values, deformed or not.
    """
    ground = ground_of(head)
    canvas = _Canvas(ground)
    for halo in plan.halos:
        voxels, inside = halo_field(ground, halo)
        canvas.lay_flat(voxels, inside, halo.edge_mm, halo.kind)
    for blob in plan.blobs:
        box, field = blob_field(ground, blob, plan.bank)
        if field.size:
            canvas.lay_blob(box, field, blob)
    level = canvas.level
    # A load of nothing has nothing; else all lesions give or take the same share of their edges.
    level += _growth(level, plan.load_ml / ground.voxel_ml) if plan.load_ml > 0 else NOWHERE
    fraction = np.clip(level, 0, 1)
    there = fraction > 0
    return PlacedLesions(
        fraction=_on_head(head, ground, fraction),
        kinds=_on_head(head, ground, np.where(there, canvas.kinds, np.int8(0))),
        lesion=_on_head(head, ground, np.where(there, canvas.lesion, np.int16(0))),
        load_ml=float(fraction.sum(dtype=np.float64)) * ground.voxel_ml,
        level=level,
        depth_mm=np.where(there, canvas.depth_mm, np.float32(0)),
        ground=ground,
    )


def _growth(level: Float32, voxels: float) -> np.float32:
    """What has to be added to the level so that the fractions sum to `voxels`."""
    near = level[level > -GROWTH]
    low, high = -GROWTH, GROWTH
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if float(np.clip(near + middle, 0, 1).sum()) > voxels else (middle, high)
    return np.float32((low + high) / 2)


def _kind_of(ground: Ground, box: Box, inside_mm: Float32) -> Kind:
    """The kind of a real shape, by where it lies."""
    lesion = inside_mm > 0
    below, above = np.count_nonzero(lesion & ground.infratentorial[box]), lesion & ground.white[box]
    if below > np.count_nonzero(above):
        return Kind.INFRATENTORIAL
    wall = ground.ventricle_mm[box][above]
    if wall.size and wall.min() <= 2 * ground.spacing_mm:
        large = wall.size * ground.voxel_ml > LARGE_ML or float(np.mean(wall > PERIVENTRICULAR_MM)) > 0.1
        return Kind.CONFLUENT if large else Kind.PERIVENTRICULAR
    cortex = ground.cortex_mm[box][above]
    touches = bool(cortex.size) and float(cortex.min()) <= max(JUXTACORTICAL_MM, ground.spacing_mm)
    return Kind.JUXTACORTICAL if touches and cortex.size * ground.voxel_ml < LARGE_ML else Kind.DEEP


def _on_head(head: LabelMap, ground: Ground, values: NDArray[Scalar]) -> NDArray[Scalar]:
    whole = np.zeros(head.codes.shape, values.dtype)
    whole[ground.box] = values
    return whole
