"""The label maps of a folder: those to learn from, and those of people kept aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ENDINGS = (".nii", ".nii.gz", ".mgz")


@dataclass(frozen=True)
class LabelMapSplit:
    """Label maps to train on and to validate with; no person is in both."""

    training: tuple[Path, ...]
    validation: tuple[Path, ...]


def split_label_maps(folder: Path, validation: Sequence[str]) -> LabelMapSplit:
    """Sort the NIfTI label maps of `folder`; `validation` names files, with or without their extension.

    Raises
    ------
    ValueError
        if there is no label map, or a name fits none of them.
    """
    maps = images_in(folder)
    if not maps:
        raise ValueError(f"there is no label map in {folder}: give a folder of .nii, .nii.gz or .mgz files")
    called = {v: [p for p in maps if p.name == v or p.name.startswith((f"{v}.", f"{v}_"))] for v in validation}
    missing = [name for name, found in called.items() if not found]
    if missing:
        raise ValueError(f"no label map is called {', '.join(missing)} in {folder}")
    held_out = {p for found in called.values() for p in found}
    return LabelMapSplit(tuple(p for p in maps if p not in held_out), tuple(sorted(held_out)))


def images_in(folder: Path) -> list[Path]:
    """The images of a folder by name, not of folders in it."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(ENDINGS))
