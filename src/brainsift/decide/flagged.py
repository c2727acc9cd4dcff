"""The rule of tasks whose findings no probability decides: nothing is rejected, and what carries a flag is referred."""

from __future__ import annotations

from collections.abc import Mapping

from brainsift.decide.decision import Action, Decision
from brainsift.tasks.base import Finding


def decide_by_flags(
    finding: Finding, task: str, referred: Mapping[str, str], *, look_at: str, accepted: tuple[str, str]
) -> Decision:
    """Accept a finding that nothing speaks against, refer the others.

    Parameters
    ----------
    task : that the finding must belong to.
    referred : flags that send it to a person → what to tell them.
    look_at : what a person should look at.
    accepted : rule and reason where there is no such flag.

    Raises
    ------
    ValueError
        if the finding belongs to another task.
    """
    if finding.task != task:
        raise ValueError(f"Only {task} findings are decided here, got one of {finding.task!r}")
    flags = [flag for flag in referred if flag in finding.flags]
    if flags:
        reason = f"A person should look at {look_at}: {'; '.join(referred[flag] for flag in flags)}."
        return Decision(task=task, action=Action.REFER, rule="+".join(flags), reason=reason)
    return Decision(task=task, action=Action.ACCEPT, rule=accepted[0], reason=accepted[1])
