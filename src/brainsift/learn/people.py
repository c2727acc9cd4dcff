"""Whose scan an example is: nobody may be learnt from and measured on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol


class OfPeople(Protocol):
    """Examples of which it is known whose each is."""

    @property
    def people(self) -> tuple[str, ...]:
        """(N,) whose heads."""


def person_of(path: Path) -> str:
    """Whose head a file holds: its name without ending and without ``_labels``."""
    return path.name.split(".")[0].removesuffix("_labels")


def names_of(path: Path) -> frozenset[str]:
    """How a file may be called on the command line: with or without its ending, or as its person.

    ``head_17`` or ``head_17_labels`` for ``head_17_labels.nii.gz``.
    """
    return frozenset((path.name, path.name.split(".")[0], person_of(path)))


class Turn(NamedTuple):
    """A chunk's name, the file that it is made of, whose head that is, and the seed."""

    name: str
    path: Path
    person: str
    seed: int


def take_turns(label_maps: Sequence[Path], chunks: int, seed: int, first: int = 0) -> list[Turn]:
    """`chunks` turns that go around the label maps, each with a seed of its own.

    Parameters
    ----------
    first : number of the first one.

    Raises
    ------
    ValueError
        if there is no label map.
    """
    if not label_maps:
        raise ValueError("a bank is made from label maps, got none")
    turns = []
    for number in range(first, first + chunks):
        path = label_maps[number % len(label_maps)]
        person = person_of(path)
        turns.append(Turn(f"{person}_{number:05d}", path, person, seed + number))
    return turns


def refuse_shared_people(bank: OfPeople, validation: OfPeople | None) -> None:
    """Raise `ValueError` where a person is learnt from and validated with."""
    both = sorted(set(bank.people) & set(() if validation is None else validation.people))
    if both:
        raise ValueError(f"nobody may be on both sides of a split, got {', '.join(both[:5])} on both")
