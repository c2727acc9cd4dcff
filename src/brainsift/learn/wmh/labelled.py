"""Examples from people's labels: T1w scans with masks drawn on a FLAIR of the same session, in its own geometry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from brainsift.evaluate.labels import Label
from brainsift.evaluate.segmentation.masks import as_mask
from brainsift.learn.quality.labelled import held_out
from brainsift.learn.wmh.bank import Bank, chunk_names, load_bank, write_chunk
from brainsift.learn.wmh.example import Example, make_example
from brainsift.learn.wmh.geometry import coarse_label
from brainsift.learn.wmh.preparing import Preparer, prepare_with_anatomy
from brainsift.scans.errors import ScanError
from brainsift.scans.read import read_file
from brainsift.scans.sidecar import read_sidecar

FINE_MM = 1.5
"""A mask with no voxel side longer than this is taken for the truth on the fine grid as well."""


@dataclass(frozen=True, eq=False)
class LabelledBanks:
    """Examples to learn from, examples to choose weights and threshold with, and what could not be read, with why."""

    training: Bank
    validation: Bank | None
    failed: dict[str, str]


def labelled_banks(
    labels: Sequence[Label],
    folder_of_labels: Path,
    scans: Path,
    folder: Path,
    seed: int = 0,
    *,
    prepared: Preparer = prepare_with_anatomy,
    progress: Callable[[int, int], None] | None = None,
) -> LabelledBanks:
    """Read every labelled scan once, keep it in `folder`, and split by person.

    Rows without a mask and those marked ``test`` are left out; every rater's mask is an example of its own. The split
    column decides where it is filled; other people are drawn. A mask lies in the scan's space: one drawn in another
    session must be registered to the T1w first, by its affine.

    Parameters
    ----------
    folder_of_labels, scans : what the columns `wmh_mask` and `scan` are relative to.

    Raises
    ------
    ValueError
        if no labelled scan can be used, or all of them are for validation.
    """
    wanted = [label for label in labels if label.wmh_mask is not None and label.split != "test"]
    failed: dict[str, str] = {}
    for number, label in enumerate(wanted):
        _keep(label, folder_of_labels, scans, folder, prepared, failed)
        if progress is not None:
            progress(number + 1, len(wanted))
    read = [label for label in wanted if _told(label) not in failed]
    if not read:
        reasons = "; ".join(sorted(set(failed.values())))
        raise ValueError(f"none of {len(wanted)} rows with a wmh_mask could be used{f': {reasons}' if reasons else ''}")
    bank = load_bank(folder)
    number_of = {name.partition("/")[0]: number for number, name in enumerate(bank.names)}
    aside = set(held_out(read, seed))
    training = [number_of[_name(label)] for label in read if label.scan not in aside]
    if not training:
        raise ValueError("all labelled scans are for validation: mark some as `train` in the column split")
    rest = [number_of[_name(label)] for label in read if label.scan in aside]
    return LabelledBanks(bank.only(training), bank.only(rest) if rest else None, failed)


def _told(label: Label) -> str:
    return label.scan if label.rater is None else f"{label.scan} ({label.rater})"


def _name(label: Label) -> str:
    told = f"{label.scan}\n{label.rater or ''}\n{label.wmh_mask}"
    return f"scan_{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _keep(
    label: Label, folder_of_labels: Path, scans: Path, folder: Path, prepared: Preparer, failed: dict[str, str]
) -> None:
    """Read one scan and its mask, unless they lie there from an earlier run."""
    if label.wmh_mask is None or _name(label) in chunk_names(folder):
        return
    try:
        example = labelled_example(label, scans / label.scan, folder_of_labels / label.wmh_mask, prepared)
    except (ScanError, OSError, ValueError) as error:
        failed[_told(label)] = str(error)
        return
    write_chunk([example], folder, _name(label))


def labelled_example(label: Label, scan: Path, mask: Path, prepared: Preparer = prepare_with_anatomy) -> Example:
    """One scan with the mask that somebody drew.

    Raises
    ------
    ScanError
        if a file cannot be read, or the scan shows no brain.
    ValueError
        if the mask is none.
    """
    seen, drawn = prepared(read_file(scan)), read_file(mask)
    lesion = as_mask(drawn.data).astype("float32")
    coarse = coarse_label(lesion.astype("uint8"), drawn.affine, _thickness_mm(mask))
    truth = (lesion, drawn.affine) if drawn.spacing.max() <= FINE_MM else None
    facts = {"source": "labelled scan", "load_ml": round(coarse.volume_ml, 3), "bad_label": ""}
    return make_example(seen, label.person, truth=truth, coarse=coarse, facts=facts)


def _thickness_mm(mask: Path) -> float | None:
    """From the BIDS sidecar of the mask; None where there is none, and slices are taken to touch."""
    sidecar = mask.with_name(mask.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    fields = read_sidecar(sidecar) if sidecar.is_file() else None
    thickness = None if fields is None else fields.get("SliceThickness")
    return float(thickness) if isinstance(thickness, int | float) and thickness > 0 else None
