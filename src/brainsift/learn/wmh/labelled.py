"""Examples from people's labels: T1w scans with masks drawn on a FLAIR of the same session, in its own geometry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from brainsift.evaluate.labels import Label
from brainsift.evaluate.segmentation.masks import as_mask
from brainsift.learn.labelled_rows import keep_labelled, split_kept
from brainsift.learn.sides import LabelledBanks
from brainsift.learn.wmh.bank import Bank, chunk_names, load_bank, write_chunk
from brainsift.learn.wmh.example import Example, make_example
from brainsift.learn.wmh.geometry import coarse_label
from brainsift.learn.wmh.preparing import Preparer, prepare_with_anatomy
from brainsift.learn.wmh.source import LABELLED
from brainsift.scans.read import read_file
from brainsift.scans.sidecar import read_sidecar

FINE_MM = 1.5
"""A mask with no voxel side longer than this is taken for the truth on the fine grid as well."""


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

    def keep(label: Label, mask: Path, name: str) -> None:
        write_chunk([labelled_example(label, scans / label.scan, folder_of_labels / mask, prepared)], folder, name)

    kept = keep_labelled(labels, lambda label: label.wmh_mask, "a wmh_mask", chunk_names(folder), keep, progress)
    return split_kept(kept, load_bank(folder), seed)


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
    facts = {"source": LABELLED, "load_ml": round(coarse.volume_ml, 3), "bad_label": ""}
    return make_example(seen, label.person, truth=truth, coarse=coarse, facts=facts)


def _thickness_mm(mask: Path) -> float | None:
    """From the BIDS sidecar of the mask; None where there is none, and slices are taken to touch."""
    sidecar = mask.with_name(mask.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    fields = read_sidecar(sidecar) if sidecar.is_file() else None
    thickness = None if fields is None else fields.get("SliceThickness")
    return float(thickness) if isinstance(thickness, int | float) and thickness > 0 else None
