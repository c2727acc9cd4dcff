"""Whether a count of microbleeds is taken as found or goes to a person with its mask.

Nothing is rejected here: a scan in which bleeds cannot be seen is not asked (`brainsift.decide.prerequisites`).
"""

from __future__ import annotations

from types import MappingProxyType

from brainsift.decide.decision import Action, Decision
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
    """Accept a count that nothing speaks against, refer the others. The limits behind the flags are provisional.

    Raises
    ------
    ValueError
        if the finding belongs to another task.
    """
    if finding.task != TASK:
        raise ValueError(f"Only microbleeds findings are decided here, got one of {finding.task!r}")
    flags = [flag for flag in REFERRED_FLAGS if flag in finding.flags]
    if flags:
        told = "; ".join(REFERRED_FLAGS[flag] for flag in flags)
        reason = f"A person should look at the marks: {told}."
        return Decision(task=TASK, action=Action.REFER, rule="+".join(flags), reason=reason)
    return Decision(task=TASK, action=Action.ACCEPT, rule="counted", reason="Counted, and nothing speaks against it.")
