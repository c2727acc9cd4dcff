"""Examples from people's labels: the same slices that inference cuts, with what the raters agreed on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from brainsift.anatomy.compute import compute_anatomy
from brainsift.evaluate.consensus import consensus
from brainsift.evaluate.labels import Label
from brainsift.evaluate.splits import grouped_split
from brainsift.learn.quality.bank import Bank, Example, chunk_names, load_bank, to_levels, write_chunk
from brainsift.learn.quality.truth import label_row
from brainsift.learn.sides import LabelledBanks
from brainsift.scans.errors import ScanError
from brainsift.scans.read import read_file
from brainsift.scans.volume import Volume
from brainsift.tasks.quality.slices import Slices, slices_of

VALIDATION_SHARE = 0.2
"""Of the people whose labels carry no split."""

Cutter = Callable[[Volume], Slices]


def cut_with_anatomy(volume: Volume) -> Slices:
    """Slices as in inference: around the brain that the anatomy pass finds."""
    return slices_of(volume, compute_anatomy(volume))


def labelled_banks(
    labels: Iterable[Label],
    scans: Path,
    folder: Path,
    seed: int = 0,
    *,
    cut: Cutter = cut_with_anatomy,
    progress: Callable[[int, int], None] | None = None,
) -> LabelledBanks[Bank]:
    """Read every labelled scan once, keep its slices in `folder`, and split by person.

    Labels marked ``test`` are left out. The split column decides where it is filled; other people are drawn.

    Parameters
    ----------
    scans : folder that the column `scan` is relative to.
    seed : of the draw.
    cut : what makes slices of a volume.
    progress : called with the number of scans done and the number in all.

    Raises
    ------
    ValueError
        if no labelled scan can be read, or all of them are for validation.
    """
    agreed = [label for label in consensus(labels).values() if label.split != "test" and _says_something(label)]
    failed: dict[str, str] = {}
    for number, label in enumerate(agreed):
        _keep(label, scans, folder, cut, failed)
        if progress is not None:
            progress(number + 1, len(agreed))
    read = [label for label in agreed if label.scan not in failed]
    if not read:
        reasons = "; ".join(sorted(set(failed.values())))
        raise ValueError(f"none of {len(agreed)} labelled scans could be used{f': {reasons}' if reasons else ''}")
    bank = load_bank(folder)
    row_of = {str(facts["scan"]): row for row, facts in enumerate(bank.facts)}
    aside = held_out(read, seed)
    training = [row_of[label.scan] for label in read if label.scan not in aside]
    if not training:
        raise ValueError("all labelled scans are for validation: mark some as `train` in the column split")
    # Labels may have changed since the slices were cut.
    truth = bank.truth.copy()
    for label in read:
        truth[row_of[label.scan]] = label_row(label)
    fresh = bank.with_truth(truth)
    rest = [row_of[scan] for scan in aside]
    return LabelledBanks(fresh.only(training), fresh.only(rest) if rest else None, failed)


def held_out(labels: Sequence[Label], seed: int) -> list[str]:
    """Scans to choose the weights with: as the split column says, else those of a fifth of the other people."""
    named = [label.scan for label in labels if label.split == "validation"]
    free = [label for label in labels if label.split is None]
    if named or not free:
        return named
    chosen = grouped_split([label.person for label in free], VALIDATION_SHARE, seed)
    return [label.scan for label, aside in zip(free, chosen, strict=True) if aside]


def _says_something(label: Label) -> bool:
    return bool(np.isfinite(label_row(label)).any())


def _keep(label: Label, scans: Path, folder: Path, cut: Cutter, failed: dict[str, str]) -> None:
    """Cut the slices of one scan, unless they lie there from an earlier run."""
    name = f"scan_{hashlib.sha256(label.scan.encode()).hexdigest()[:16]}"
    if name in chunk_names(folder):
        return
    path = scans / label.scan
    try:
        slices = cut(read_file(path))
    except (ScanError, OSError) as error:
        failed[label.scan] = str(error)
        return
    facts = {"source": "labelled scan", "fault": "unknown", "scan": label.scan}
    write_chunk([Example(to_levels(slices.pixels), label_row(label), label.person, facts)], folder, name)
