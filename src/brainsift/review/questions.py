"""What people are asked in each task and may answer: plain data, from which the page builds its screens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from brainsift.review.errors import invalid

LEVELS = ("none", "some", "severe")
"""Grades 0, 1 and 2 (Bottani 2022)."""


@dataclass(frozen=True)
class Field:
    """Something that can be added to a choice: a `flag`, or a `grade` with its words."""

    id: str
    title: str
    key: str
    kind: str = "flag"

    def view(self) -> dict[str, Any]:
        """For the page."""
        levels = {"levels": list(LEVELS)} if self.kind == "grade" else {}
        return {"id": self.id, "title": self.title, "key": self.key, "kind": self.kind, **levels}


@dataclass(frozen=True)
class Choice:
    """One answer.

    Attributes
    ----------
    good : whether the scan may be used, or the drawing is right.
    fields : what may be added.
    highest_grade : fits only where the highest grade is this.
    """

    id: str
    title: str
    key: str
    good: bool
    fields: tuple[str, ...] = ()
    highest_grade: int | None = None

    def view(self) -> dict[str, Any]:
        """For the page."""
        return {
            "id": self.id,
            "title": self.title,
            "key": self.key,
            "good": self.good,
            "fields": list(self.fields),
            "highest_grade": self.highest_grade,
        }


@dataclass(frozen=True)
class Question:
    """What is asked in one task."""

    task: str
    title: str
    question: str
    choices: tuple[Choice, ...]
    fields: tuple[Field, ...] = field(default=())

    def choice(self, name: str | None) -> Choice:
        """The choice of this name.

        Raises
        ------
        RefusedError
            ``invalid``.
        """
        for choice in self.choices:
            if choice.id == name:
                return choice
        raise invalid("choice", f"the choices are {', '.join(c.id for c in self.choices)}, got {name!r}")

    @property
    def good_choices(self) -> tuple[str, ...]:
        """Names of the choices that are good."""
        return tuple(choice.id for choice in self.choices if choice.good)

    def view(self) -> dict[str, Any]:
        """For the page."""
        return {
            "task": self.task,
            "title": self.title,
            "question": self.question,
            "choices": [choice.view() for choice in self.choices],
            "fields": [one.view() for one in self.fields],
        }

    def check(self, name: str | None, given: Mapping[str, Any]) -> dict[str, bool | int]:
        """The fields of an answer, those not given filled in.

        Raises
        ------
        RefusedError
            ``invalid``: an unknown choice, a field that it does not take, a value that is none, a grade that
            contradicts it.
        """
        choice = self.choice(name)
        if unknown := sorted(set(given) - set(choice.fields)):
            raise invalid("fields", f"`{choice.id}` takes no {', '.join(unknown)}")
        filled = {one.id: _value(one, given.get(one.id)) for one in self.fields if one.id in choice.fields}
        grades = [value for value in filled.values() if not isinstance(value, bool)]
        if choice.highest_grade is not None and max(grades, default=0) != choice.highest_grade:
            raise invalid("fields", f"`{choice.id}` needs a highest grade of {choice.highest_grade}, got {grades}")
        return filled


def _value(one: Field, value: Any) -> bool | int:
    if one.kind == "flag":
        if value is None or isinstance(value, bool):
            return bool(value)
        raise invalid("fields", f"`{one.id}` is true or false, got {value!r}")
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(LEVELS):
        return value
    raise invalid("fields", f"`{one.id}` is a grade 0, 1 or 2, got {value!r}")


_GRADES = ("motion", "noise", "contrast")
_FACE = ("eyes", "nose", "mouth", "ears")
_DRAWN = (
    Choice("right", "Right", "1", good=True),
    Choice("missed", "Something is missed", "2", good=False),
    Choice("false", "Something is marked that is none", "3", good=False),
    Choice("both", "Missed and falsely marked", "4", good=False),
)

_ALL = (
    Question(
        "integrity",
        "Integrity",
        "Is this a usable image of a whole brain?",
        (Choice("usable", "Usable", "1", good=True), Choice("not_usable", "Not usable", "2", good=False)),
    ),
    Question(
        "quality",
        "Quality",
        "How good is this scan?",
        (
            Choice("good", "Good", "1", good=True, fields=("gadolinium",)),
            Choice("moderate", "Moderate", "2", good=True, fields=(*_GRADES, "gadolinium"), highest_grade=1),
            Choice("bad", "Bad", "3", good=False, fields=(*_GRADES, "gadolinium"), highest_grade=2),
            Choice("not_proper", "Not a proper scan", "4", good=False),
        ),
        (
            Field("motion", "Motion", "m", "grade"),
            Field("noise", "Noise", "n", "grade"),
            Field("contrast", "Loss of contrast", "c", "grade"),
            Field("gadolinium", "Contrast agent was given", "g"),
        ),
    ),
    Question(
        "defacing",
        "Defacing",
        "Are face and ears gone, and is the brain whole?",
        (
            Choice("correct", "Correct", "1", good=True),
            Choice("insufficient", "Face or ears left", "2", good=False, fields=(*_FACE, "cannot_be_defaced")),
            Choice("excessive", "Brain removed", "3", good=False, fields=("cannot_be_defaced",)),
            Choice("failed", "Not applied, or misplaced", "4", good=False, fields=("cannot_be_defaced",)),
        ),
        (
            Field("eyes", "Eyes left", "e"),
            Field("nose", "Nose left", "n"),
            Field("mouth", "Mouth left", "m"),
            Field("ears", "Ears left", "a"),
            Field("cannot_be_defaced", "Give up: cannot be defaced", "c"),
        ),
    ),
    Question("wmh", "White-matter hyperintensities", "Is what is marked right?", _DRAWN),
    Question("microbleeds", "Microbleeds", "Are the marked microbleeds right?", _DRAWN),
)

QUESTIONS: Mapping[str, Question] = MappingProxyType({question.task: question for question in _ALL})
"""Task → question. Keys `l t z o v s x ?` are the page's own."""


def agrees(task: str, choice: str | None, action: str | None, label: str | None) -> bool | None:
    """Whether person and machine say the same; None where they cannot be compared.

    In defacing the classes are compared; elsewhere whether the scan may be used, unless the machine left that open.
    """
    if choice is None or action is None:
        return None
    if task == "defacing":
        return choice == label
    return None if action == "refer" else (action == "accept") == QUESTIONS[task].choice(choice).good
