"""Which file of a folder is the mask of a scan, and the mask on the reference's grid; for `evaluate wmh`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.cli.exits import Stop
from brainsift.tsv_text import unguarded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from brainsift.evaluate.segmentation.scan import ScanScores
    from brainsift.scans.volume import Volume

ENDINGS = (".nii.gz", ".nii", ".mgz")

SAME_GRID_VOXELS = 0.1
"""Two grids of one shape whose corners lie this near, in voxels, are one grid: headers of other programs round, and
tools that go by the qform or the sform alone differ by about as much."""

IDENTITY = ("sub", "ses", "acq", "run", "rec", "echo")
"""BIDS entities that tell one scan from another; `space`, `desc`, `label` and `res` tell of the file alone."""

LESION_WORDS = ("wmh", "lesion", "label-l_", "flamages")
"""In names of lesion masks: preferred where a folder holds brain masks as well."""


@dataclass(frozen=True)
class MaskFiles:
    """Scan → its mask, and scan → why there is none."""

    found: dict[str, Path] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def find_masks(
    source: Path,
    scans: Iterable[str],
    endings: tuple[str, ...] = ENDINGS,
    words: tuple[str, ...] = LESION_WORDS,
) -> MaskFiles:
    """Find the mask of each scan in a folder, or in a TSV with the columns `scan` and `mask`.

    In a folder a mask has, in this order: the scan's relative path; the scan's own name, with or without something
    after it (`sub-01_T1w_wmh.nii.gz`); or, of BIDS names, the same `sub`, `ses`, `acq`, `run`, `rec` and `echo`.

    Parameters
    ----------
    endings : of the files that are looked at.
    words : in names of files that are preferred to others of a scan.

    Raises
    ------
    Stop
        if `source` is neither.
    """
    if source.is_file():
        return _listed(source, scans)
    if not source.is_dir():
        raise Stop(
            f"There is no folder {source}.", "Give `--masks` a folder of masks, or a TSV with `scan` and `mask`."
        )
    files = {p.relative_to(source).as_posix(): p for p in sorted(source.rglob("*")) if p.name.endswith(endings)}
    masks = MaskFiles()
    for scan in scans:
        fitting = _fitting(scan, files, endings, words)
        if len(fitting) == 1:
            masks.found[scan] = files[fitting[0]]
        elif fitting:
            masks.missing[scan] = f"several masks fit: {', '.join(fitting[:3])}"
        else:
            masks.missing[scan] = "no mask has its name"
    return masks


def own_files(task: str, output: Path, scans: Iterable[str], evidence: Sequence[str], kept: str) -> MaskFiles:
    """The masks that a run has written, from its records.

    Parameters
    ----------
    evidence : names in the evidence of the task's finding; the first that is there.
    kept : what it is, for the message.
    """
    from brainsift.cli.labelled import read_findings

    masks = MaskFiles()
    findings = read_findings(task, output)
    for scan in scans:
        finding, record = findings.get(scan, (None, None))
        told = {} if finding is None or record is None else finding.evidence | record.evidence
        there = next(
            (output / told[name] for name in evidence if name in told and (output / told[name]).is_file()), None
        )
        if there is not None:
            masks.found[scan] = there
        else:
            masks.missing[scan] = "the run has no finding" if finding is None else f"the run kept no {kept}"
    return masks


def _listed(table: Path, scans: Iterable[str]) -> MaskFiles:
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    if not rows or not {"scan", "mask"} <= set(rows[0]):
        raise Stop(f"{table.name} has no columns `scan` and `mask`.", "Write one row per scan, separated by tabs.")
    told = {unguarded(row["scan"]): unguarded(row["mask"]) for row in rows}
    masks = MaskFiles()
    for scan in scans:
        path = table.parent / told[scan] if told.get(scan) else None
        if path is not None and path.is_file():
            masks.found[scan] = path
        else:
            masks.missing[scan] = "not in the table" if path is None else f"there is no file {told[scan]}"
    return masks


def _fitting(scan: str, files: dict[str, Path], endings: tuple[str, ...], words: tuple[str, ...]) -> list[str]:
    """Names of the files that fit by the first rule that any fits by."""
    whole = _stem(scan)
    stems = {f: _stem(f, endings) for f in files}
    name = whole.rpartition("/")[2]
    rules = (
        [f for f in files if stems[f] == whole],
        [f for f in files if stems[f].rpartition("/")[2] == name],
        [f for f in files if stems[f].rpartition("/")[2].startswith(f"{name}_")],
        [f for f in files if _same_scan(name, stems[f].rpartition("/")[2])],
    )
    for fitting in rules:
        told = [f for f in fitting if any(word in f"{f.lower()}_" for word in words)]
        masks = [f for f in told or fitting if "prob" not in f.lower()]
        if fitting:
            return masks or told or fitting
    return []


def _stem(path: str, endings: tuple[str, ...] = ENDINGS) -> str:
    return next((path.removesuffix(ending) for ending in endings if path.endswith(ending)), path)


def _same_scan(scan: str, mask: str) -> bool:
    wanted, there = _entities(scan), _entities(mask)
    modality = there.get("mod")
    return (
        "sub" in wanted
        and all(wanted.get(key) == there.get(key) for key in IDENTITY)
        and (modality is None or modality == scan.rpartition("_")[2])
    )


def _entities(name: str) -> dict[str, str]:
    return {key: value for key, dash, value in (part.partition("-") for part in name.split("_")) if dash}


def score_files(reference: Path, result: Path) -> tuple[ScanScores, str]:
    """Read two masks and compare them on the grid of the reference; with a note where the result had to be resampled.

    Raises
    ------
    ScanError
        if a file cannot be read.
    ValueError
        if one of them is no mask, or they share no part of space.
    """
    from brainsift.evaluate.segmentation.scan import score_masks
    from brainsift.scans.read import read_file

    truth, answer = read_file(reference), read_file(result)
    values, note = _on_grid(answer, truth)
    return score_masks(truth.data, values, truth.spacing.tolist()), note


def _on_grid(answer: Volume, truth: Volume) -> tuple[NDArray[np.generic], str]:
    import numpy as np

    from brainsift.evaluate.segmentation.masks import as_mask
    from brainsift.scans.conform import labels_to_input

    if answer.shape == truth.shape:
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in truth.shape], indexing="ij")).reshape(3, -1)
        apart = (answer.affine - truth.affine)[:3]
        distance = np.linalg.norm(apart[:, :3] @ corners + apart[:, 3:], axis=0)
        if distance.max() <= SAME_GRID_VOXELS * truth.spacing.min():
            return answer.data, ""
    mask = as_mask(answer.data)
    moved = labels_to_input(mask.astype(np.uint8), answer.affine, truth)
    if mask.any() and not moved.any():
        raise ValueError("no voxel of the mask lies on the grid of the reference; was it written in another space?")
    voxels = "x".join(str(n) for n in answer.shape)
    return moved, f"mask of {voxels} voxels brought to the grid of the reference by nearest neighbour"
