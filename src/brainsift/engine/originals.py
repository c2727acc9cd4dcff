"""Which original a defaced scan belongs to: by the same name in another folder, by BIDS, or by a table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from brainsift.engine.errors import RunError
from brainsift.scans.ref import ScanRef
from brainsift.tsv_text import unguarded

COLUMNS = ("scan", "original")

LEFT_OUT = ("desc-", "rec-", "space-", "mod-")
"""Entities that a defacing tool or a derivative adds to the name of its source (BIDS 1.10, derivatives)."""

ENDINGS = (".nii.gz", ".nii", ".mgz")


@dataclass(frozen=True)
class Originals:
    """Where originals are looked for.

    Attributes
    ----------
    folder : of originals, laid out as INPUT or as BIDS; None for none.
    named : scan → original, from a table; it goes first.
    """

    folder: Path | None = None
    named: Mapping[str, Path] = field(default_factory=dict)

    def of(self, scan: str) -> Path | None:
        """The original of a scan; None where there is none."""
        if scan in self.named:
            return self.named[scan]
        if self.folder is None:
            return None
        place = PurePosixPath(scan)
        folder = self.folder.joinpath(*place.parent.parts)
        names = dict.fromkeys((place.name, *(f"{source_name(place.name)}{ending}" for ending in ENDINGS)))
        return next((folder / name for name in names if (folder / name).is_file()), None)


def source_name(name: str) -> str:
    """A file name without ending, without what defacing adds: ``sub-01_desc-defaced_T1w.nii`` → ``sub-01_T1w``."""
    stem = next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)
    kept = [part for part in stem.split("_") if not part.startswith(LEFT_OUT) and part != "defaced"]
    return "_".join(kept)


def load_originals(path: Path | None) -> Originals:
    """Read where originals lie: a folder, or a TSV with the columns `scan` and `original`.

    Paths in the table are absolute, or relative to the table.

    Raises
    ------
    RunError
        if `path` is neither, the table lacks a column, or an original that it names is not there.
    """
    if path is None:
        return Originals()
    if path.is_dir():
        return Originals(folder=path)
    if not path.is_file():
        raise RunError("originals", f"There is no folder or table {path}.", "Give originals as a folder or a TSV.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if rows and not set(COLUMNS) <= set(rows[0]):
        raise RunError("originals", f"{path} lacks a column.", f"It needs the columns {' and '.join(COLUMNS)}.")
    named = {unguarded(row["scan"]): path.parent / unguarded(row["original"]) for row in rows}
    missing = [scan for scan, original in named.items() if not original.is_file()]
    if missing:
        raise RunError(
            "originals",
            f"{path} names {len(missing)} originals that are not there, the first for {missing[0]}.",
            "Correct the paths; they are relative to the table.",
        )
    return Originals(named=named)


def with_originals(refs: Iterable[ScanRef], originals: Originals) -> Iterator[ScanRef]:
    """References with their originals."""
    for ref in refs:
        original = originals.of(ref.scan)
        yield ref if original is None else replace(ref, original=original)
