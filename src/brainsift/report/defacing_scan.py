"""Defacing of one scan: the four classes, which features are left, what to do, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brainsift.report.words import field_name, field_value

CLASSES = {
    "correct": ("Correct", "accept"),
    "insufficient": ("Face or ears left", "refer"),
    "excessive": ("Brain removed", "reject"),
    "failed": ("Failed", "reject"),
}
"""Class → its title, and the tone that it is shown in."""

FEATURES = ("eyes", "nose", "mouth", "ears", "brow")

EVEN_ODDS = 0.5

OUT_OF_VIEW = 0.2
"""Share of a feature's place in the field of view, below which nothing is said of it."""

KEY_SIGNALS = (
    "face_sunk_mm",
    "flat_share",
    "exposed_brain_cm2",
    "brain_missing_ml",
    "brain_missing_depth_mm",
    "original_changed_share",
    "original_brain_removed_ml",
    "original_brain_removed_depth_mm",
)
"""Measurements shown in the section; the others stand with the finding."""

NEXT = {
    "accept": "It is on the verification sheet: nothing is released before a person has signed it.",
    "refer": "A person looks at it on a screen of its own.",
    "reject": "It is on the remedial list: `brainsift defacing remedy OUTPUT` says what to do.",
}
"""Decision → what happens next."""

NO_PICTURE = "Views of the head show a face where one is left. They are never in a report; the review page shows them."


@dataclass(frozen=True)
class Bar:
    """A probability: name, tone, text, per cent, whether it is the label."""

    name: str
    tone: str
    text: str
    share: float
    chosen: bool


def defacing_view(
    label: str, probabilities: Mapping[str, float], measured: Mapping[str, Any], action: str | None
) -> dict[str, Any]:
    """What the page of a scan shows of its defacing.

    Parameters
    ----------
    label, probabilities, measured : of the finding of task `defacing`.
    action : of its decision.
    """
    return {
        "bars": [
            Bar(title, tone, f"{100 * probabilities[name]:.1f} %", round(100 * probabilities[name], 1), name == label)
            for name, (title, tone) in CLASSES.items()
            if name in probabilities
        ],
        "features": [(name, _feature(name, probabilities, measured)) for name in FEATURES],
        "signals": [(field_name(n), field_value(n, measured[n])) for n in KEY_SIGNALS if measured.get(n) is not None],
        "next": NEXT.get(action or "", ""),
        "no_picture": NO_PICTURE,
    }


def is_shown_here(name: str) -> bool:
    """Whether a measurement has its place in the defacing section and need not be listed again."""
    return name in KEY_SIGNALS


def _feature(name: str, probabilities: Mapping[str, float], measured: Mapping[str, Any]) -> str:
    """``left``, ``gone``, or ``out of view``; empty where nobody said."""
    share = measured.get(f"{name}_in_view")
    if isinstance(share, int | float) and share < OUT_OF_VIEW:
        return "out of view"
    p = probabilities.get(f"{name}_left")
    return "" if p is None else "left" if p > EVEN_ODDS else "gone"
