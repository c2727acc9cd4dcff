"""Whose scan an example is: nobody may be learnt from and measured on."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class OfPeople(Protocol):
    """Examples of which it is known whose each is."""

    @property
    def people(self) -> tuple[str, ...]:
        """(N,) whose heads."""


def person_of(path: Path) -> str:
    """Whose head a file holds: its name without ending and without ``_labels``."""
    return path.name.split(".")[0].removesuffix("_labels")


def refuse_shared_people(bank: OfPeople, validation: OfPeople | None) -> None:
    """Raise `ValueError` where a person is learnt from and validated with."""
    both = sorted(set(bank.people) & set(() if validation is None else validation.people))
    if both:
        raise ValueError(f"nobody may be on both sides of a split, got {', '.join(both[:5])} on both")
