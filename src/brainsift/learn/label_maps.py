"""The label maps of a folder: those to learn from, and those of people kept aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brainsift.learn.people import names_of

ENDINGS = (".nii", ".nii.gz", ".mgz")


@dataclass(frozen=True)
class LabelMapSplit:
    """Label maps to train on and to validate with; no person is in both."""

    training: tuple[Path, ...]
    validation: tuple[Path, ...]


def split_label_maps(folder: Path, validation: Sequence[str]) -> LabelMapSplit:
    """Sort the NIfTI label maps of `folder`; `validation` names each one held out, by one of `names_of` it.

    Raises
    ------
    ValueError
        if there is no label map, or a name fits none of them.
    """
    maps = images_in(folder)
    if not maps:
        raise ValueError(f"there is no label map in {folder}: give a folder of .nii, .nii.gz or .mgz files")
    missing = set(validation).difference(*map(names_of, maps))
    if missing:
        raise ValueError(f"no label map is called {', '.join(sorted(missing))} in {folder}")
    held_out = {path for path in maps if not names_of(path).isdisjoint(validation)}
    return LabelMapSplit(tuple(p for p in maps if p not in held_out), tuple(sorted(held_out)))


def images_in(folder: Path) -> list[Path]:
    """The images of a folder by name, not of folders in it."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(ENDINGS))
