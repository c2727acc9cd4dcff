"""Step three: what anatomy and shape say of a place that the networks take for a bleed. In millimetres, and with a
reason for each."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from brainsift.tasks.microbleeds.extent import Extent
from brainsift.tasks.microbleeds.places import Place

Verdict = Literal["definite", "possible", "dropped"]

EDGE_MM, OUTSIDE_MM = 2.0, 5.0
"""Outside of the brain: up to one voxel of the anatomy pass a bleed is cortical and kept; up to the thickness of a
sulcus it is possible; beyond lie sinuses, dura and bone."""

SURE_EDGE_MM = 3.5
"""So far outside a place is kept of which the networks are very sure: the anatomy's border is one of 2 mm voxels."""

VENTRICLE_EDGE_MM, VENTRICLE_MM = 1.0, 3.0
"""Inside of the ventricles: at their border a bleed is possible; deeper lie choroid plexus and flow."""

LONG, TUBE = 2.5, 4.0
"""Elongation from which on a bleed is only possible, and from which on it is taken for a vessel. Real bleeds on thick
slices have 1.8 (`science`: .55), a vein that is cut off at 16 mm five and more."""

SURE_LONG = 3.0
"""From here on even where the networks are very sure: they take pieces of veins for bleeds as well."""

MIN_LONG_VOXELS = 3.0
"""Two slices that share a bleed look like a tube; three do not."""

LARGEST_MM = 10.0
"""Microbleeds measure 2 to 10 mm (Greenberg 2009, Lancet Neurol 8:165)."""

WORDS = MappingProxyType(
    {
        "not_a_bleed": "the network takes it for no bleed",
        "same_as_another": "it is part of another bleed",
        "outside_brain": f"it lies more than {OUTSIDE_MM:g} mm outside of the brain",
        "brain_edge": f"it lies {EDGE_MM:g} to {OUTSIDE_MM:g} mm outside of the brain",
        "in_ventricle": f"it lies more than {VENTRICLE_MM:g} mm inside a ventricle",
        "ventricle_edge": "it lies at the border of a ventricle",
        "calcifies": "it lies where healthy brains calcify, which looks alike in magnitude images",
        "vessel": "it is as long as a vessel",
        "elongated": "it is longer than round",
        "too_large": f"it is larger than {LARGEST_MM:g} mm",
        "unsure": "the network is not sure",
        "anatomy_uncertain": "the anatomy is uncertain",
    }
)
"""Reason → what to tell."""


@dataclass(frozen=True)
class Judged:
    """Verdict on one place, and why; no reasons for a definite bleed."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


def judge(
    place: Place, extent: Extent, *, sure: bool, very_sure: bool, anatomy_trusted: bool, calcifies: bool = False
) -> Judged:
    """Keep, doubt or drop a place.

    Parameters
    ----------
    sure : whether the network's probability reaches the threshold of a bleed.
    very_sure : whether it lies nearer to 1; such a place is not dropped for its shape, since a bleed may touch a vein,
        nor doubted for being a little long or a little outside.
    anatomy_trusted : else nothing is dropped for where it lies.
    calcifies : whether it may as well be calcium, for where it lies (`calcified`).
    """
    against: list[str] = []
    doubts: list[str] = []
    if place.outside_mm > (SURE_EDGE_MM if very_sure else EDGE_MM):
        (against if place.outside_mm > OUTSIDE_MM else doubts).append(
            "outside_brain" if place.outside_mm > OUTSIDE_MM else "brain_edge"
        )
    if place.ventricle_mm < -VENTRICLE_EDGE_MM:
        deep = place.ventricle_mm < -VENTRICLE_MM
        (against if deep else doubts).append("in_ventricle" if deep else "ventricle_edge")
    if calcifies:
        doubts.append("calcifies")
    if not anatomy_trusted and against:
        doubts, against = [*doubts, *against, "anatomy_uncertain"], []
    if extent.elongation >= (SURE_LONG if very_sure else LONG) and extent.long_voxels >= MIN_LONG_VOXELS:
        tube = extent.elongation >= TUBE
        (against if tube and not very_sure else doubts).append("vessel" if tube else "elongated")
    if extent.diameter_mm > LARGEST_MM:
        doubts.append("too_large")
    if not sure:
        doubts.append("unsure")
    if against:
        return Judged("dropped", (*against, *doubts))
    return Judged("possible", tuple(doubts)) if doubts else Judged("definite")
