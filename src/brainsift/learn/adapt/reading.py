"""Both domains from people's files: labels of source and target, and a folder of target scans without labels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from brainsift.evaluate.labels import Label, read_labels
from brainsift.learn.adapt.domains import Domains
from brainsift.learn.quality.bank import Bank, Example, chunk_names, load_bank, to_levels, write_chunk
from brainsift.learn.quality.labelled import Cutter, cut_with_anatomy, labelled_banks
from brainsift.learn.quality.truth import truth_row
from brainsift.scans.catalog import Catalog
from brainsift.scans.errors import ScanError
from brainsift.scans.read import read
from brainsift.scans.ref import ScanRef

SOURCE_BANK, TARGET_BANK, UNLABELLED_BANK = "bank_source", "bank_target", "bank_unlabelled"

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Given:
    """Files of a training.

    Attributes
    ----------
    source, target : labels files of either domain, or None.
    unlabelled : folder of target scans, or None.
    source_scans, target_scans : folders that the labels' column `scan` is relative to; those of the labels files where
        they are None.
    """

    source: Path | None
    target: Path | None
    unlabelled: Path | None = None
    source_scans: Path | None = None
    target_scans: Path | None = None


@dataclass(frozen=True, eq=False)
class Read:
    """What was read: examples to learn from, target scans kept aside, and scans that failed with the reason."""

    domains: Domains
    validation: Bank | None
    failed: dict[str, str]


def read_domains(
    given: Given,
    output: Path,
    seed: int = 0,
    *,
    cut: Cutter = cut_with_anatomy,
    progress: Progress = lambda _name, _done: None,
) -> Read:
    """Read every scan once and keep its slices below `output`; a second call reads what is new.

    Of the target's people a fifth is kept aside unless the column `split` decides; of the source's only those that it
    marks. Nobody kept aside in the target, or marked ``test`` there, is among the others.

    Parameters
    ----------
    seed : of the draw.
    cut : what makes slices of a volume.
    progress : called with the part and the number of its scans that are done.

    Raises
    ------
    LabelsError
        if a labels file cannot be used.
    ValueError
        if nothing can be read of a part that was given.
    """
    failed: dict[str, str] = {}
    source = target = validation = unlabelled = None
    labels: list[Label] = []
    if given.target is not None:
        labels = read_labels(given.target)
        folder = given.target_scans or given.target.parent
        banks = labelled_banks(
            labels, folder, output / TARGET_BANK, seed, cut=cut, progress=lambda done, _: progress("target", done)
        )
        target, validation = banks.training, banks.validation
        failed |= banks.failed
    if given.source is not None:
        of_source = [_to_learn(label) for label in read_labels(given.source)]
        folder = given.source_scans or given.source.parent
        banks = labelled_banks(
            of_source, folder, output / SOURCE_BANK, seed, cut=cut, progress=lambda done, _: progress("source", done)
        )
        source = banks.training
        failed |= banks.failed
    if given.unlabelled is not None:
        folder = given.target_scans or (given.target.parent if given.target else given.unlabelled)
        hidden = {str((folder / scan).resolve()) for scan in _kept_aside(labels, validation)}
        unlabelled = unlabelled_bank(
            given.unlabelled, output / UNLABELLED_BANK, hidden, failed, cut, lambda n: progress("unlabelled", n)
        )
        tested = {label.person for label in labels if label.split == "test"}
        unlabelled = unlabelled.only([i for i, person in enumerate(unlabelled.people) if person not in tested])
    return Read(Domains(source, target, unlabelled).without_people_of(validation), validation, failed)


def unlabelled_bank(
    folder: Path,
    kept: Path,
    hidden: Iterable[str],
    failed: dict[str, str],
    cut: Cutter,
    progress: Callable[[int], None],
) -> Bank:
    """Slices of every scan of a folder, of which nothing is known; scans among `hidden` (full paths) are left out.

    Raises
    ------
    ValueError
        if no scan of the folder can be read.
    """
    left_out, names = set(hidden), []
    for number, ref in enumerate(Catalog(folder)):
        if left_out & {str(path.resolve()) for path in ref.paths}:
            continue
        name = f"scan_{hashlib.sha256(ref.scan.encode()).hexdigest()[:16]}"
        if _keep(ref, name, kept, cut, failed):
            names.append(ref.scan)
        progress(number + 1)
    if not names:
        raise ValueError(f"no scan of {folder} can be learnt from: give another folder with `--unlabelled`")
    bank, wanted = load_bank(kept), set(names)
    # The folder may have lost scans since an earlier run.
    return bank.only([i for i, facts in enumerate(bank.facts) if facts["scan"] in wanted])


def _keep(ref: ScanRef, name: str, kept: Path, cut: Cutter, failed: dict[str, str]) -> bool:
    """Cut the slices of one scan unless they are there; whether they are now."""
    if (kept / f"{name}.json").exists() and name in chunk_names(kept):
        return True
    try:
        slices = cut(read(ref))
    except (ScanError, OSError) as error:
        failed[ref.scan] = str(error)
        return False
    person = ref.participant or f"scan:{ref.scan}"
    facts = {"source": "unlabelled scan", "fault": "unknown", "scan": ref.scan}
    write_chunk([Example(to_levels(slices.pixels), truth_row({}), person, facts)], kept, name)
    return True


def _to_learn(label: Label) -> Label:
    return label if label.split is not None else label.model_copy(update={"split": "train"})


def _kept_aside(labels: Sequence[Label], validation: Bank | None) -> set[str]:
    """Target scans that must not be seen without labels either."""
    seen = set() if validation is None else {str(facts["scan"]) for facts in validation.facts}
    return seen | {label.scan for label in labels if label.split == "test"}
