"""What people's labels say about a question that is answered with yes or no."""

from __future__ import annotations

from collections.abc import Iterable

from brainsift.evaluate.labels import Label

SEVERE = 2
"""Grade of a fault that makes a scan unusable; with it the tier is 3 (Bottani 2022)."""

PARTS = {"quality": ("proper", "motion", "noise", "contrast"), "defacing": ("defacing",)}
"""Task → the columns that together say whether a scan is good."""


def labelled_parts(task: str, labels: Iterable[Label]) -> tuple[str, ...]:
    """The columns of `PARTS` that somebody filled in."""
    given = list(labels)
    return tuple(part for part in PARTS.get(task, ()) if any(getattr(label, part) is not None for label in given))


def is_good(label: Label, parts: Iterable[str]) -> bool | None:
    """Whether a scan is good in all `parts`: no as soon as one says no, None while one that is needed is unknown."""
    answers = [_part_is_good(label, part) for part in parts]
    if False in answers:
        return False
    return None if None in answers or not answers else True


def tier(label: Label) -> int | None:
    """1 + the worst grade; an improper scan, or one with a grade missing, has none."""
    grades = [label.motion, label.noise, label.contrast]
    known = [grade for grade in grades if grade is not None]
    if label.proper is False or not known or (len(known) < len(grades) and max(known) < SEVERE):
        return None
    return 1 + max(known)


def _part_is_good(label: Label, part: str) -> bool | None:
    value = getattr(label, part)
    if value is None:
        return None
    if part == "proper":
        return bool(value)
    return bool(value == "correct") if part == "defacing" else bool(value < SEVERE)
