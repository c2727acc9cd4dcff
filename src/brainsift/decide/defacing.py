"""Which list a defacing goes to: likely passes to be verified, sure failures to be remedied, all else to be looked at.

No decision releases a scan: an accepted one still waits for a person's signature (Delbarre 2022, Comput Biol Med
151:106211).
"""

from __future__ import annotations

from types import MappingProxyType

from brainsift.decide.decision import Action, Decision
from brainsift.decide.route import decide_with
from brainsift.decide.stored import Calibration
from brainsift.tasks.base import Finding

TASK = "defacing"

REFERRED_FLAGS: MappingProxyType[str, str] = MappingProxyType(
    {
        "measurement_disagrees": "what was measured disagrees with the network",
        "original_disagrees": "the comparison with the original disagrees with the network",
        "geometry_changed": "the tool changed the grid of the scan",
        "not_placed": "the brain could not be placed",
    }
)
"""Flags that send a scan to a person whatever its probabilities say."""

FACE = frozenset({"eyes", "nose", "mouth"})
"""Features without which a failure is a matter of policy: some sites let ears and brow stay."""

ORBITS = frozenset({"eyes"})
"""Common masks cut through the orbits, and what is behind the cut looks like an eye in part: without nose and mouth
beside it nobody but a person can say whether it is one."""

LEAST_KIND = 0.75
"""Least probability of one kind of failure for the remedial list: which remedy is tried follows from the kind. A real
scan whose ears alone were left had 0.49 for `failed` and 0.48 for `excessive`; the limit is reasoning, not a fit."""

LISTS: MappingProxyType[Action, str] = MappingProxyType(
    {Action.ACCEPT: "verify", Action.REFER: "review", Action.REJECT: "remedial"}
)
"""Action → the list of the review page."""


def decide_defacing(finding: Finding, calibration: Calibration | None = None, stratum: str | None = None) -> Decision:
    """Decide by the probability of `correct`, but leave doubtful scans and questions of policy to a person.

    Raises
    ------
    ValueError
        if the finding belongs to another task.
    """
    if finding.task != TASK:
        raise ValueError(f"Only defacing findings are decided here, got one of {finding.task!r}")
    if finding.label == "no_head":
        return _decision(Action.REFER, "no_head", "There is no head to deface: a person confirms that.")
    if "identical_to_original" in finding.flags:
        return _decision(Action.REJECT, "identical", "It is the original: nothing was removed.", provisional=False)
    told = [words for flag, words in REFERRED_FLAGS.items() if flag in finding.flags]
    if told:
        return _decision(Action.REFER, "doubt", f"A person should look: {'; '.join(told)}.")
    decision = decide_with(finding, calibration, stratum)
    if decision.action is Action.REJECT and finding.label == "insufficient":
        left = FACE & set(finding.flags)
        if not left:
            reason = "Eyes, nose and mouth are gone, ears or brow may be left: a person says whether they may stay."
            return _decision(Action.REFER, "ears_alone", reason)
        if left == ORBITS:
            reason = "Nose and mouth are gone, of the eyes something may be left: a person says whether it may stay."
            return _decision(Action.REFER, "eyes_alone", reason)
    if decision.action is Action.REJECT and finding.probabilities.get(finding.label, 0.0) < LEAST_KIND:
        reason = "It has failed, but it is not clear which way: a person says what is to be done."
        return _decision(Action.REFER, "kind_unsure", reason)
    return decision


def _decision(action: Action, rule: str, reason: str, *, provisional: bool = True) -> Decision:
    return Decision(task=TASK, action=action, rule=rule, reason=reason, provisional=provisional)
