"""Examples from people's labels: scans with a mask of bleeds, or with points set on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from brainsift.evaluate.detection.marks import Marks, marks_of_mask
from brainsift.evaluate.detection.points import read_points
from brainsift.evaluate.labels import Label
from brainsift.learn.labelled_rows import keep_labelled, split_kept
from brainsift.learn.microbleeds.bank import Bank, chunk_names, load_bank, write_chunk
from brainsift.learn.microbleeds.build import Preparer, prepare_with_anatomy
from brainsift.learn.microbleeds.example import Example, Lesion, make_example
from brainsift.learn.sides import LabelledBanks
from brainsift.scans.read import read_file
from brainsift.scans.volume import Volume
from brainsift.simulate.susceptibility.example import Modality

POINT_MM = 3.0
"""Diameter of a bleed on which only a point was set: the middle of what raters outline."""

POINT_ENDINGS = (".tsv", ".txt")

MOST_BLEEDS = 255
"""Numbers are kept in bytes; a scan with more is not about single bleeds."""


def labelled_banks(
    labels: Sequence[Label],
    folder_of_labels: Path,
    scans: Path,
    folder: Path,
    seed: int = 0,
    *,
    prepared: Preparer = prepare_with_anatomy,
    progress: Callable[[int, int], None] | None = None,
) -> LabelledBanks[Bank]:
    """Read every labelled scan once, keep it in `folder`, and split by person.

    Rows without `microbleeds` and those marked ``test`` are left out; every rater's label is an example of its own. The
    split column decides where it is filled; other people are drawn.

    Parameters
    ----------
    folder_of_labels, scans : what the columns `microbleeds` and `scan` are relative to.

    Raises
    ------
    ValueError
        if no labelled scan can be used, or all of them are for validation.
    """

    def keep(label: Label, marked: Path, name: str) -> None:
        write_chunk([labelled_example(label, scans / label.scan, folder_of_labels / marked, prepared)], folder, name)

    kept = keep_labelled(labels, lambda label: label.microbleeds, "microbleeds", chunk_names(folder), keep, progress)
    return split_kept(kept, load_bank(folder), seed)


def labelled_example(label: Label, scan: Path, marked: Path, prepared: Preparer = prepare_with_anatomy) -> Example:
    """One scan with the bleeds that somebody marked: a mask in the scan's space, or a TSV of points.

    The modality is that of the column `sequence` (``gre``, ``swi`` or ``qsm``), or of the scan's name.

    Raises
    ------
    ScanError
        if a file cannot be read, or the scan cannot be prepared.
    ValueError
        if the modality is not known, or the label is no mask and no points.
    """
    volume = read_file(scan)
    seen = prepared(volume, modality_of(label))
    marks = read_marks(marked, volume)
    if len(marks) > MOST_BLEEDS:
        raise ValueError(f"{marked.name} holds {len(marks)} bleeds; at most {MOST_BLEEDS} are told apart in one scan")
    sizes = np.where(np.isfinite(marks.diameter_mm), marks.diameter_mm, POINT_MM)
    lesions = [
        Lesion((float(x), float(y), float(z)), float("nan"), float(size))
        for (x, y, z), size in zip(marks.mm, sizes, strict=True)
    ]
    facts: dict[str, Any] = {
        "source": "labelled scan",
        "scan": label.scan,
        "modality": seen.modality,
        "slice_mm": round(float(volume.spacing.max()), 3),
        "bleeds": len(lesions),
    }
    pieces = None if marks.pieces is None or marks.affine is None else (marks.pieces, marks.affine)
    return make_example(seen, label.person, lesions, pieces=pieces, facts=facts)


def read_marks(path: Path, volume: Volume) -> Marks:
    """Bleeds from a TSV of points in a scan, or from a mask of any grid in the scan's space.

    Raises
    ------
    ScanError, ValueError
        if the file cannot be read, or is neither.
    """
    if path.name.endswith(POINT_ENDINGS):
        return read_points(path).marks(volume.input_grid.affine)
    mask = read_file(path)
    return marks_of_mask(mask.data, mask.affine)


WORDS: dict[str, Modality] = {"swi": "swi", "qsm": "qsm", "chimap": "qsm", "gre": "gre", "t2star": "gre", "t2s": "gre"}
"""In sequences and names of files → modality; the first that fits."""


def modality_of(label: Label) -> Modality:
    """What kind of scan a label is of.

    Raises
    ------
    ValueError
        if neither the column `sequence` nor the scan's name tells.
    """
    for told in (label.sequence or "", label.scan.rpartition("/")[2]):
        lower = told.lower()
        if lower in get_args(Modality):
            return cast(Modality, lower)
        for word, modality in WORDS.items():
            if word in lower:
                return modality
    raise ValueError(f"{label.scan}: the modality is not known; write gre, swi or qsm into the column `sequence`")
