"""The lists of each task: which scans they hold, and on which screen they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brainsift.store.reviews.queues import Source

ADJUDICATION = "adjudication"


@dataclass(frozen=True)
class ListSpec:
    """One list.

    Attributes
    ----------
    screen : ``sheet``: many pictures, exceptions marked, one signature; ``one``: one scan, one key.
    source : the machine's decisions that feed it; None for the list of disagreements.
    default_choice : what a signature says of the scans that were not marked.
    required : whether it counts for the hours left.
    """

    id: str
    title: str
    screen: Literal["sheet", "one"]
    source: Source | None
    default_choice: str | None = None
    required: bool = True


_DISAGREEMENTS = ListSpec(ADJUDICATION, "Adjudication", "one", None)


def lists_of(task: str, audit_share: float) -> tuple[ListSpec, ...]:
    """The lists of a task in the order in which they are offered."""
    if task == "defacing":
        return (
            ListSpec("review", "Full review", "one", Source(("refer",))),
            ListSpec("verify", "Verification sheet", "sheet", Source(("accept",)), default_choice="correct"),
            ListSpec("remedial", "To be defaced again", "one", Source(("reject",)), required=False),
            _DISAGREEMENTS,
        )
    audit = Source(("accept", "reject"), audit_share)
    audits = (ListSpec("audit", "Audit of automatic decisions", "one", audit),) if audit_share > 0 else ()
    return (ListSpec("review", "Review", "one", Source(("refer",))), *audits, _DISAGREEMENTS)


def home_of(specs: tuple[ListSpec, ...], action: str, drawn: bool) -> str | None:
    """The list in which a scan starts that nobody has read; None where the machine's word is enough.

    Parameters
    ----------
    drawn : whether its content falls into the share of the audit.
    """
    for spec in specs:
        if spec.source is not None and action in spec.source.actions and (spec.source.share >= 1 or drawn):
            return spec.id
    return None
