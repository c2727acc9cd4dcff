"""What a defacing left of the face and took of the brain, measured; and the label that follows by rule.

The rule and its reasons are in docs/defacing.md.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from brainsift.simulate.deface.geometry import HeadGeometry, Mask, Region

DefacingLabel = Literal["correct", "insufficient", "excessive", "failed"]
LABELS: tuple[DefacingLabel, ...] = ("correct", "insufficient", "excessive", "failed")

FEATURES: dict[str, tuple[Region, ...]] = {
    "eyes": (Region.EYE_LEFT, Region.EYE_RIGHT),
    "nose": (Region.NOSE,),
    "mouth": (Region.MOUTH,),
    "ears": (Region.EAR_LEFT, Region.EAR_RIGHT),
    "brow": (Region.BROW,),
}
"""Feature → its regions; of a pair the side that is left most of counts."""

LEAST_ML: dict[Region, float] = {
    Region.EYE_LEFT: 2.0, Region.EYE_RIGHT: 2.0, Region.NOSE: 3.0, Region.MOUTH: 6.0, Region.EAR_LEFT: 0.8,
    Region.EAR_RIGHT: 0.8, Region.BROW: 1.5,
}  # fmt: skip
"""With less of it in the field of view, a feature is absent: about a quarter of a grown person's."""

LEFT_SHARE = 0.3
"""From this share on a feature counts as left."""

WHOLE_SHARE = 0.9
"""With this much of every feature left, nothing was done to the face."""

CUT_ML, CUT_MM = 0.5, 2.0
"""The brain counts as cut from this volume and this depth on, both: less lies within the error of any brain mask."""

FACE_MOSTLY_LEFT = 0.5
"""A cut brain below a face that is mostly there: the mask landed in the wrong place."""

DESTROYED_SHARE = 0.25
"""With this share of the brain gone, nothing is left to mend by moving a mask."""


@dataclass(frozen=True)
class DefacingTruth:
    """Shares (0 to 1) that are left of the features that the field of view shows, None of those that it does not.

    Attributes
    ----------
    eyes, nose, mouth, ears, brow : of a pair, the side that more is left of.
    face : of all regions of the face but the ears together; None where the field of view holds none.
    brain_removed_ml, brain_removed_share : brain (with ventricles) whose grey values were taken away.
    brain_removed_depth_mm : how far below the brain's outer surface.
    head_removed_share : of all that is not air.
    other_face : whether another person's face is seen instead.
    label : by the rule of docs/defacing.md.
    why : the clause of the rule.
    """

    eyes: float | None
    nose: float | None
    mouth: float | None
    ears: float | None
    brow: float | None
    face: float | None
    brain_removed_ml: float
    brain_removed_share: float
    brain_removed_depth_mm: float
    head_removed_share: float
    other_face: bool
    label: DefacingLabel
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON and tables."""
        return asdict(self)


def measure_defacing(geometry: HeadGeometry, mask: Mask, kept: float = 0.0, other_face: bool = False) -> DefacingTruth:
    """Measure what a defacing did.

    Parameters
    ----------
    mask : bool (X, Y, Z), voxels that it changed.
    kept : share of the detail that it left there (see `fill.kept_by`).
    other_face : whether another face was put there.
    """
    n = len(Region)
    total = np.bincount(geometry.regions.ravel(), minlength=n)
    lost = np.bincount(geometry.regions[mask], minlength=n) * (1 - kept)
    left: dict[str, float | None] = {}
    for feature, regions in FEATURES.items():
        seen = [r for r in regions if total[r] * geometry.voxel_ml >= LEAST_ML[r]]
        left[feature] = max(1 - float(lost[r] / total[r]) for r in seen) if seen else None
    front = [r for r in Region if r not in (Region.OTHER, Region.EAR_LEFT, Region.EAR_RIGHT)]
    whole = float(total[front].sum())
    shown = any(left[f] is not None for f in ("eyes", "nose", "mouth"))
    face = 1 - float(lost[front].sum()) / whole if shown else None
    cut = geometry.brain & mask
    brain_lost, brain_total = float(np.count_nonzero(cut)) * (1 - kept), float(np.count_nonzero(geometry.brain))
    head_total = max(1, int(np.count_nonzero(geometry.head)))
    removed_ml = brain_lost * geometry.voxel_ml
    depth = depth_removed(geometry, cut) if brain_lost and kept < 1 - LEFT_SHARE else 0.0
    share = brain_lost / brain_total if brain_total else 0.0
    label, why = label_of(left, removed_ml, share, depth)
    return DefacingTruth(
        **left,
        face=face,
        brain_removed_ml=removed_ml,
        brain_removed_share=share,
        brain_removed_depth_mm=depth,
        head_removed_share=float(np.count_nonzero(geometry.head & mask)) * (1 - kept) / head_total,
        other_face=other_face and bool(mask.any()),
        label=label,
        why=why,
    )


def depth_removed(geometry: HeadGeometry, cut: Mask) -> float:
    """How deep a cut goes below the brain's outer surface (its sulci closed), mm; to about 1 mm."""
    steps, depth = geometry.brain_depth
    rough = cut[tuple(slice(None, None, n) for n in steps)]
    return float(depth[rough].max(initial=0.0))


def label_of(
    left: dict[str, float | None], brain_removed_ml: float, brain_removed_share: float, depth_mm: float
) -> tuple[DefacingLabel, str]:
    """The label of what was measured, and the clause that gives it."""
    seen = {f: share for f, share in left.items() if share is not None and f != "brow"}
    central = [seen[f] for f in ("eyes", "nose", "mouth") if f in seen] or list(seen.values())
    cut = brain_removed_ml >= CUT_ML and depth_mm >= CUT_MM
    if brain_removed_share >= DESTROYED_SHARE:
        return "failed", "the brain is largely gone"
    if cut and central and float(np.mean(central)) >= FACE_MOSTLY_LEFT:
        return "failed", "brain is removed and the face is not: the mask is in the wrong place"
    if cut:
        return "excessive", "brain is removed"
    if not seen:
        return "correct", "no feature of the face is in the field of view"
    if min(seen.values()) >= WHOLE_SHARE:
        return "failed", "the face is untouched"
    remaining = [f for f, share in seen.items() if share >= LEFT_SHARE]
    if remaining:
        return "insufficient", f"left: {', '.join(remaining)}"
    return "correct", "face and ears are gone, the brain is whole"
