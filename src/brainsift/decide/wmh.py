"""Whether a volume of white-matter hyperintensity is taken as measured or goes to a person with its mask.

Nothing is rejected here: a scan that cannot be measured is not asked (`brainsift.decide.prerequisites`).
"""

from __future__ import annotations

from types import MappingProxyType

from brainsift.decide.decision import Decision
from brainsift.decide.flagged import decide_by_flags
from brainsift.tasks.base import Finding

TASK = "wmh"

REFERRED_FLAGS: MappingProxyType[str, str] = MappingProxyType(
    {
        "low_confidence": "the anatomy is uncertain, and with it where lesions may lie",
        "not_placed": "the brain could not be placed in MNI152, so regions are rough",
        "brain_cut": "part of the brain lies outside the field of view and is not counted",
        "out_of_distribution": "grey and white matter do not look as in T1w",
        "outside_training_range": "its voxels or its lesion volume lie outside of what the training saw",
        "volume_uncertain": "the volume depends strongly on the threshold",
        "mostly_uncertain": "most of what is marked is hardly more likely than not",
        "marked_outside_brain": "much of what is marked lies in fluid or outside the brain",
    }
)
"""Flags of a finding that send it to a person, and what to tell them."""


def decide_wmh(finding: Finding) -> Decision:
    """Accept what nothing speaks against, refer the others. The limits behind the flags are provisional.

    Raises
    ------
    ValueError
        if the finding belongs to another task.
    """
    accepted = "measured", "Measured, and nothing speaks against the figures; small lesions may be missed."
    return decide_by_flags(finding, TASK, REFERRED_FLAGS, look_at="the mask", accepted=accepted)
