"""What a defacing changed, voxel for voxel, where the original is at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import WORKING_SPACING_MM
from brainsift.scans.conform import resample_linear
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Measurement
from brainsift.tasks.defacing.average import BOXES, FEATURES, box_slices
from brainsift.tasks.defacing.frame import StandardHead, sample_linear, standard_head, standard_step

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

SAME_PLACE_MM = 0.01
"""Grids whose corners lie closer than this are one grid: headers round."""

CHANGE_LEVEL = 0.02
"""Of the brain's grey value: less is rounding, where a tool stored the scan in another type."""

RESAMPLED_LEVEL = 0.3
"""The same where the grid changed too: interpolation alone changes edges."""

MOST = 0.5
"""Of a working voxel changed, from which it counts as changed."""

LEFT_SHARE = 0.3
"""Of a feature's voxels unchanged, from which the feature counts as left (the rule of docs/defacing.md)."""

WHOLE_SHARE, FACE_MOSTLY_LEFT, DESTROYED_SHARE = 0.9, 0.5, 0.25
"""Of every feature: nothing was done to the face. Of the middle of the face, with brain gone: the mask landed in the
wrong place. Of the brain gone: nothing is left to mend."""

BRAIN_ML, BRAIN_DEPTH_MM = 2.0, 4.0
"""Brain removed from which it counts. The rule has 0.5 mL and 2 mm for labels that are the truth; those of the anatomy
pass err by a voxel of 2 mm at the border of the brain."""


@dataclass(frozen=True, eq=False)
class Change:
    """What differs from the original; `label` is the class that follows from it by the written rule.

    Attributes
    ----------
    changed_share : of the voxels of the original's head.
    brain_removed_ml, brain_removed_share, brain_removed_depth_mm : of the original's brain, and how deep.
    unchanged : feature → share of the original's voxels there that are as they were; None out of view.
    same_grid : whether both files have one grid.
    identical : whether no voxel differs at all.
    """

    changed_share: float
    brain_removed_ml: float
    brain_removed_share: float
    brain_removed_depth_mm: float
    unchanged: dict[str, float | None]
    same_grid: bool
    identical: bool

    @property
    def features_left(self) -> tuple[str, ...]:
        """Features of which most is as it was."""
        return tuple(name for name, share in self.unchanged.items() if share is not None and share >= LEFT_SHARE)

    @property
    def brain_gone(self) -> bool:
        """Whether brain was taken away."""
        return self.brain_removed_ml > BRAIN_ML and self.brain_removed_depth_mm > BRAIN_DEPTH_MM

    @property
    def label(self) -> str:
        """The class, by the rule of docs/defacing.md."""
        seen = {name: share for name, share in self.unchanged.items() if share is not None and name != "brow"}
        middle = [share for name, share in seen.items() if name != "ears"] or list(seen.values())
        if self.identical or self.brain_removed_share >= DESTROYED_SHARE:
            return "failed"
        if self.brain_gone:
            in_wrong_place = bool(middle) and float(np.mean(middle)) >= FACE_MOSTLY_LEFT
            return "failed" if in_wrong_place else "excessive"
        if seen and min(seen.values()) >= WHOLE_SHARE:
            return "failed"
        return "insufficient" if any(share >= LEFT_SHARE for share in seen.values()) else "correct"

    def measurements(self) -> dict[str, Measurement]:
        """As the finding tells them."""
        told: dict[str, Measurement] = {
            "original_identical": self.identical,
            "original_same_grid": self.same_grid,
            "original_changed_share": round(self.changed_share, 4),
            "original_brain_removed_ml": round(self.brain_removed_ml, 2),
            "original_brain_removed_depth_mm": round(self.brain_removed_depth_mm, 1),
            "original_label": self.label,
        }
        shares = {f"original_{name}_unchanged": share for name, share in self.unchanged.items()}
        return told | {name: None if share is None else round(share, 3) for name, share in shares.items()}


def compare(volume: Volume, original: Volume, anatomy: Anatomy) -> Change:
    """Compare a scan with its original.

    Parameters
    ----------
    volume : the defaced scan.
    original : what it was made from.
    anatomy : of the original, whose brain is whole.
    """
    same = same_grid(volume, original)
    data = volume.data if same else resample_linear(volume.data, volume.affine, original.shape, original.affine)
    head = standard_head(original, anatomy)
    unit = _brain_level(original, anatomy)
    difference = np.abs(data - original.data)
    changed = difference > (CHANGE_LEVEL if same else RESAMPLED_LEVEL) * unit
    on_grid = _on_working_grid(changed, original, anatomy)
    taken = (on_grid > MOST) & anatomy.brain
    inside = anatomy.labels > 0
    moved = sample_linear(on_grid, standard_step(anatomy.affine, head.pose)) > MOST
    return Change(
        changed_share=float(on_grid[inside].mean()) if inside.any() else 0.0,
        brain_removed_ml=float(taken.sum()) * WORKING_SPACING_MM**3 / 1000,
        brain_removed_share=float(taken.sum()) / max(1, int(anatomy.brain.sum())),
        brain_removed_depth_mm=_depth(taken, anatomy.brain),
        unchanged={name: _unchanged(head, moved, name) for name in FEATURES},
        same_grid=same,
        identical=same and not difference.any(),
    )


def same_grid(first: Volume, second: Volume) -> bool:
    """Whether two scans have one shape and their corners lie in one place."""
    if first.shape != second.shape:
        return False
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in first.shape], indexing="ij")).reshape(3, -1)
    apart = (first.affine - second.affine)[:3]
    return bool(np.abs(apart[:, :3] @ corners + apart[:, 3:]).max() < SAME_PLACE_MM)


def _brain_level(original: Volume, anatomy: Anatomy) -> float:
    values = anatomy.image[anatomy.brain]
    level = float(np.median(values)) if values.size else float(np.percentile(original.data, 95))
    return abs(level) or 1.0


def _on_working_grid(changed: Bool, original: Volume, anatomy: Anatomy) -> Float32:
    """Share of each working voxel that changed."""
    shape = anatomy.image.shape
    return resample_linear(changed.astype(np.float32), original.affine, (shape[0], shape[1], shape[2]), anatomy.affine)


def _depth(taken: Bool, brain: Bool) -> float:
    """How deep what was taken lies below the surface of the brain, mm."""
    from scipy.ndimage import distance_transform_edt

    if not taken.any():
        return 0.0
    inwards = distance_transform_edt(brain) * WORKING_SPACING_MM
    return float(inwards[taken].max())


def _unchanged(head: StandardHead, moved: Bool, feature: str) -> float | None:
    there = as_before = 0
    for box in BOXES[feature]:
        where = box_slices(box)
        tissue = head.tissue[where]
        there += int(tissue.sum())
        as_before += int((tissue & ~moved[where]).sum())
    return as_before / there if there else None
