"""What the measured signals alone allow to be said, with limits set in advance: a check on the network."""

from __future__ import annotations

from brainsift.tasks.defacing.signals import Signals

EYES_LEFT, NOSE_LEFT = 0.8, 0.4
"""Share of an average head's tissue in the place of a feature, from which the feature is there. A child's nose is small
and lies higher."""

SUNK_MM = 8.0
"""Faces differ by less from an average one; a defaced one lies deeper by 20 mm and more."""

MISSING_ML, MISSING_DEPTH_MM = 6.0, 8.0
"""Brain that nearly everybody has: the fit to MNI152 errs by 2 mm, small brains by some more."""

IN_VIEW = 0.5


def face_is_there(signals: Signals) -> bool:
    """Whether eyes and nose have the tissue of an average head, and lie where it has them."""
    sunk = signals.get("face_sunk_mm")
    return (
        sunk is not None
        and sunk < SUNK_MM
        and _at_least(signals.get("eyes_left"), EYES_LEFT)
        and _at_least(signals.get("nose_left"), NOSE_LEFT)
    )


def face_is_in_view(signals: Signals) -> bool:
    """Whether the place of the eyes, or of nose and mouth, lies in the field of view."""
    lower = all(_at_least(signals.get(f"{name}_in_view"), IN_VIEW) for name in ("nose", "mouth"))
    return lower or _at_least(signals.get("eyes_in_view"), IN_VIEW)


def brain_is_gone(signals: Signals) -> bool:
    """Whether air reaches deep into where nearly everybody has brain."""
    return _at_least(signals.get("brain_missing_ml"), MISSING_ML) and _at_least(
        signals.get("brain_missing_depth_mm"), MISSING_DEPTH_MM
    )


def contradicts(label: str, signals: Signals) -> bool:
    """Whether what was measured speaks plainly against a label."""
    if label == "correct":
        return face_is_there(signals) or brain_is_gone(signals)
    if label == "insufficient":
        return brain_is_gone(signals)
    return label == "excessive" and face_is_there(signals)


def _at_least(value: float | None, limit: float) -> bool:
    return value is not None and value >= limit
