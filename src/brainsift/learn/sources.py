"""Where simulated examples come from: label maps and clean real scans, the people of each side apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brainsift.learn.label_maps import images_in
from brainsift.learn.people import names_of


@dataclass(frozen=True)
class Sources:
    """Where examples come from, the people of each side apart.

    Attributes
    ----------
    label_maps, scans : to learn from.
    validation_maps, validation_scans : to choose weights and to measure with.
    """

    label_maps: tuple[Path, ...]
    scans: tuple[Path, ...]
    validation_maps: tuple[Path, ...]
    validation_scans: tuple[Path, ...]


def find_sources(label_maps: Path | None, scans: Path | None, validation: Sequence[str]) -> Sources:
    """Sort label maps and clean scans of two folders; `validation` names those kept for validation.

    Each is named by one of `names_of` it. In the folder of scans, a table ``manifest.tsv`` may say which are clean:
    skull-stripped 3D T1w scans are taken, all where there is none.

    Raises
    ------
    ValueError
        if a folder holds nothing that can be used, or a name fits no file.
    """
    maps = [] if label_maps is None else images_in(label_maps)
    real = [] if scans is None else [p for p in images_in(scans) if _is_clean(scans, p)]
    if not maps and not real:
        raise ValueError("there is neither a label map nor a clean scan: give `--label-maps`, `--real-scans` or both")
    names = set(validation)
    missing = names.difference(*(names_of(path) for path in (*maps, *real)))
    if missing:
        raise ValueError(f"no label map or scan is called {', '.join(sorted(missing))}")

    def held_out(path: Path) -> bool:
        return not names.isdisjoint(names_of(path))

    return Sources(
        tuple(p for p in maps if not held_out(p)),
        tuple(p for p in real if not held_out(p)),
        tuple(p for p in maps if held_out(p)),
        tuple(p for p in real if held_out(p)),
    )


def _is_clean(folder: Path, path: Path) -> bool:
    import csv

    table = folder / "manifest.tsv"
    if not table.exists():
        return True
    with table.open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    row = rows.get(path.name, {})
    return (row.get("sequence"), row.get("dimension"), row.get("skull_stripped")) == ("T1w", "3D", "yes")
