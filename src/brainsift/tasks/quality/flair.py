"""Scans that are filed as FLAIR: are they proper 3D FLAIR scans, and if not, why not?

The straight reject of the FLAIR protocol (Loizillon 2025, Medical Image Analysis 103:103617) means more than an
improper scan: a sound T2w under the name of a FLAIR is rejected too. What is filed as FLAIR is known from the BIDS
suffix, the header, or, where both are silent, words of the file's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.skull import is_skull_stripped
from brainsift.scans.ref import ScanRef
from brainsift.scans.sequence_hint import name_hint
from brainsift.tasks.quality.network import EVEN_ODDS, Answer

FLAIR = "FLAIR"

MIN_CUT = 0.10
"""Share of the brain outside the field of view that is named as a reason, as in the integrity of a scan."""

BRIGHT_FLUID = 1.0
"""Fluid over white matter: from there on it is not suppressed. Good FLAIR scans have 0.1 to 0.4."""

MIN_CONFIDENCE = 0.3
"""Of the anatomy; below, its tissues are no reason."""

MIN_VOXELS = {"white": 200, "ventricles": 20}
"""Working-grid voxels (8 mm³ each) below which a tissue tells nothing, as for the look of a sequence."""

UNSUPPRESSED_LOOKS = ("T2w", "PDw", "T2starw", "other")
"""Sequences whose fluid is bright, among which a STIR or a FLAIR without suppression is counted."""


@dataclass(frozen=True)
class FlairVerdict:
    """Whether a scan that is filed as FLAIR is one.

    Attributes
    ----------
    probability : of being a proper 3D FLAIR.
    because : what speaks against it, in words; empty for a proper one.
    skull_stripped : whether the skull was removed, which is reported and rejects nothing; None where it cannot be told.
    """

    probability: float
    because: tuple[str, ...]
    skull_stripped: bool | None

    @property
    def proper(self) -> bool:
        """More likely a proper 3D FLAIR than not."""
        return self.probability > EVEN_ODDS


def filed_as_flair(ref: ScanRef, header: Mapping[str, Any]) -> bool:
    """Whether name or header call the scan a FLAIR."""
    if ref.suffix is not None and header.get("SequenceHint") is None:
        return ref.suffix == FLAIR
    if FLAIR in (ref.suffix, header.get("SequenceHint")):
        return True
    silent = ref.suffix is None and header.get("SequenceHint") is None
    return silent and name_hint(PurePosixPath(ref.stem).name) == FLAIR


def flair_verdict(answer: Answer, stack: bool, anatomy: Anatomy | None) -> FlairVerdict:
    """Judge a scan that is filed as FLAIR.

    It is as surely proper as of the less sure of two things: a whole brain in 3D, and the sequence. The reasons come
    from geometry and anatomy as well, which the network does not see.

    Parameters
    ----------
    stack : whether it is a stack of 2D slices.
    anatomy : None where the pass was refused.
    """
    probability = min(answer.proper, answer.sequence[FLAIR])
    stripped = None if anatomy is None or not anatomy.has_brain else is_skull_stripped(anatomy)
    because = () if probability > EVEN_ODDS else tuple(_reasons(answer, stack, anatomy))
    return FlairVerdict(probability, because, stripped)


def fluid_to_white(anatomy: Anatomy | None) -> float | None:
    """Median of the ventricles over that of white matter; None where that cannot be trusted."""
    if anatomy is None or not anatomy.has_brain or anatomy.confidence < MIN_CONFIDENCE:
        return None
    for name, needed in MIN_VOXELS.items():
        if name not in anatomy.tissue or anatomy.tissue[name].n < needed:
            return None
    white = anatomy.tissue["white"].median
    return anatomy.tissue["ventricles"].median / white if white > 0 else None


def _reasons(answer: Answer, stack: bool, anatomy: Anatomy | None) -> list[str]:
    told = ["a stack of 2D slices"] if stack else []
    seen, fluid = answer.likeliest_sequence(), fluid_to_white(anatomy)
    bright = fluid is not None and fluid >= BRIGHT_FLUID
    if seen != FLAIR:
        like = f"it looks like {seen}" if seen != "other" else "it looks like no known sequence"
        told.append(like + (_of_fluid(fluid) if bright and seen in UNSUPPRESSED_LOOKS else ""))
    elif bright:
        told.append("its fluid is not dark" + _of_fluid(fluid))
    elif answer.sequence[FLAIR] <= EVEN_ODDS:
        told.append("its sequence is not clear")
    if anatomy is None or not anatomy.has_brain:
        told.append("no brain was found: another part of the body, or no scan of one")
    elif anatomy.outside_fov >= MIN_CUT:
        told.append(f"{anatomy.outside_fov:.0%} of the brain outside the field of view")
    return told or ["it does not look like a whole brain in 3D"]


def _of_fluid(fluid: float | None) -> str:
    return f" (fluid {fluid:.1f} times as bright as white matter, as in T2w, in STIR, or where suppression failed)"
