"""Whether a count of microbleeds is taken as found or goes to a person with its mask.

Nothing is rejected here: a scan in which bleeds cannot be seen is not asked (`brainsift.decide.prerequisites`).
"""

from __future__ import annotations

from types import MappingProxyType

from brainsift.decide.decision import Decision
from brainsift.decide.flagged import decide_by_flags
from brainsift.tasks.base import Finding

TASK = "microbleeds"

REFERRED_FLAGS: MappingProxyType[str, str] = MappingProxyType(
    {
        "possible_bleeds": "places that are possibly bleeds are not counted",
        "low_confidence": "the anatomy is uncertain, and with it where bleeds may lie",
        "not_placed": "the brain could not be placed in MNI152, so sides are rough",
        "brain_cut": "part of the brain lies outside the field of view and is not counted",
        "outside_training_range": "its voxels are larger or smaller than those that the training saw",
        "too_many_candidates": "more places look like bleeds than are looked at",
        "modality_from_image": "the image is of another kind than its name or header says",
        "inverted": "the image is stored upside down",
        "polarity_uncertain": "it is not clear whether bleeds are bright or dark in this map",
    }
)
"""Flags of a finding that send it to a person, and what to tell them."""


def decide_microbleeds(finding: Finding) -> Decision:
    """Accept what nothing speaks against, refer the others. The limits behind the flags are provisional.

    Raises
    ------
    ValueError
        if the finding belongs to another task.
    """
    accepted = "counted", "Counted, and nothing speaks against it; about half of the bleeds may be missed."
    return decide_by_flags(finding, TASK, REFERRED_FLAGS, look_at="the marks", accepted=accepted)
