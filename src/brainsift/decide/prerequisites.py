"""Which questions need the answers of others: what must be known of a scan before another task is asked.

Tasks do not know each other; what one finds decides here whether the next makes sense. Only findings count, and
thresholds that no calibration moves: other thresholds never change what was computed.
"""

from __future__ import annotations

from collections.abc import Iterable

from brainsift.decide.decision import Action
from brainsift.decide.route import decide_with
from brainsift.tasks.base import Finding

T1W = "T1w"

SUSCEPTIBILITY = ("T2starw", "Chimap")
"""GRE and SWI are both T2starw to `integrity`; maps of susceptibility are Chimap."""


def why_not_asked(task: str, findings: Iterable[Finding]) -> str | None:
    """A sentence that says why a task makes no sense for a scan; None where nothing speaks against it.

    Parameters
    ----------
    findings : of the tasks that were asked before it.
    """
    found = {finding.task: finding for finding in findings}
    if task == "wmh":
        return _not_for_lesions(found)
    return _not_for_bleeds(found.get("integrity")) if task == "microbleeds" else None


def _not_for_lesions(found: dict[str, Finding]) -> str | None:
    """White-matter lesions are dark in T1w alone, and contrast agent brightens what lies beside them."""
    integrity, quality = found.get("integrity"), found.get("quality")
    sequence = integrity.measurements.get("sequence") if integrity else None
    if isinstance(sequence, str) and sequence != T1W:
        return f"White-matter hyperintensities are measured on T1w scans, and this one is taken for {sequence}."
    other = _said(integrity) & set(SUSCEPTIBILITY)
    if other:
        # Of a stripped gradient echo the look cannot be told from that of a T1w.
        named = " or ".join(sorted(other))
        return f"White-matter hyperintensities are measured on T1w scans, and name or header call this one {named}."
    if quality is None:
        return None
    decision = decide_with(quality, None)
    if decision.action is Action.REJECT:
        return f"Its quality does not allow it. {decision.reason}"
    if quality.measurements.get("gadolinium") is True:
        share = quality.probabilities.get("gadolinium")
        likely = f" ({share:.0%} likely)" if share is not None else ""
        return f"Contrast agent was given{likely}, which changes how lesions look."
    return None


def _not_for_bleeds(integrity: Finding | None) -> str | None:
    """Bleeds show where susceptibility does. A name or header that says so is enough to look: some gradient echoes are
    T1-weighted too, and the task itself refuses what is none."""
    if integrity is None:
        return None
    sequence = integrity.measurements.get("sequence")
    if not isinstance(sequence, str) or sequence in SUSCEPTIBILITY:
        return None
    if _said(integrity) & set(SUSCEPTIBILITY) and sequence != "phase":
        return None
    if sequence == "unknown":
        return "Microbleeds are sought in GRE, SWI and QSM, and nothing tells what this scan is: name it so."
    return f"Microbleeds are sought in GRE, SWI and QSM, and this one is taken for {sequence}."


def _said(integrity: Finding | None) -> set[str]:
    """Sequences that header and name tell of."""
    if integrity is None:
        return set()
    told = (integrity.measurements.get(f"sequence_from_{witness}") for witness in ("header", "name"))
    return {one for one in told if isinstance(one, str)}
