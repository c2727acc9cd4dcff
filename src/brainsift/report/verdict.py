"""One word for a scan: what all its decisions come to, why, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from brainsift.store.record import Record

WORDS = {
    "accept": ("Accepted", "✓", "Nothing to do."),
    "refer": ("Needs a person", "?", "Look at the picture and the reason, then decide"),
    "reject": ("Rejected", "✕", "Leave it out, unless the picture says otherwise"),
    "failed": ("Failed", "!", ""),
    "none": ("Not judged", "·", "Ask a question of it with: brainsift run --task …"),
}
"""Key → word, sign and next step. The sign says the same as the colour, for those who do not see it."""

TO_DEFACE = "De-face it, or again: brainsift defacing remedy OUTPUT"
"""Next step where nothing but the face is in the way."""

ORDER = ("failed", "reject", "refer", "none", "accept")
"""Most urgent first."""


@dataclass(frozen=True)
class Verdict:
    """What a scan comes to; `key` is one of `ORDER`."""

    key: str
    word: str
    sign: str
    why: str
    next_step: str


def verdict_key(record: Record) -> str:
    """The most urgent of a record's decisions."""
    if record.status == "failed":
        return "failed"
    actions = {decision.action.value for decision in record.decisions}
    return next((action for action in ("reject", "refer", "accept") if action in actions), "none")


def verdict(record: Record) -> Verdict:
    """Word, reason and next step for one record."""
    key = verdict_key(record)
    word, sign, next_step = WORDS[key]
    why = record.reason
    if record.failure is not None and key == "failed":
        why, next_step = record.failure.cause, record.failure.remedy
    elif key in ("reject", "refer"):
        why = " ".join(d.reason for d in record.decisions if d.action.value == key and d.reason) or why
    elif key == "accept":
        why = why or "All that was asked of this scan was answered and is in order."
    else:
        why = why or "No decision was made about this scan."
    if {d.task for d in record.decisions if d.action.value == "reject"} == {"defacing"} and key == "reject":
        next_step = TO_DEFACE
    return Verdict(key, word, sign, why, next_step)
