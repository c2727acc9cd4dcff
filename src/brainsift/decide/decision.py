"""What is done about a finding."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Action(StrEnum):
    """The three ways out: sure and good, sure and bad, a person must look."""

    ACCEPT = "accept"
    REJECT = "reject"
    REFER = "refer"


class Decision(BaseModel):
    """A decision with the rule and the threshold that made it.

    `threshold` is in the unit of the rule's measure; `provisional` marks thresholds that no site labels have confirmed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    action: Action
    rule: str
    reason: str
    threshold: float | None = None
    provisional: bool = True
