"""What the BIDS standard says about a folder: whose it is, and whether brain sifting wants it (BIDS 1.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brainsift.scans.small_json import read_object

DESCRIPTION = "dataset_description.json"
MAX_DESCRIPTION_BYTES = 1 << 20

NOT_RAW = frozenset({"derivatives", "sourcedata", "code", "stimuli", "phenotype", "logs"})
"""Top folders of a dataset that hold no raw images."""

NOT_ANATOMY = frozenset(
    (
        "func",
        "dwi",
        "perf",
        "fmap",
        "eeg",
        "ieeg",
        "meg",
        "beh",
        "pet",
        "nirs",
        "motion",
        "micr",
        "mrs",
        "emg",
        "figures",
    )
)
"""Data types that the questions asked here do not apply to; `anat`, `swi` and unknown ones are read."""


@dataclass(frozen=True)
class Dataset:
    """What `dataset_description.json` says: raw BIDS, or an output of BrainSift itself."""

    raw: bool
    ours: bool


def describe(folder: str) -> Dataset:
    """Read the description of a dataset; a damaged one says nothing."""
    content = read_object(Path(folder) / DESCRIPTION, MAX_DESCRIPTION_BYTES)
    if content is None:
        return Dataset(raw=False, ours=False)
    makers = content.get("GeneratedBy")
    listed = [maker for maker in makers if isinstance(maker, dict)] if isinstance(makers, list) else []
    ours = any(str(maker.get("Name", "")).lower() == "brainsift" for maker in listed)
    return Dataset(raw="BIDSVersion" in content and content.get("DatasetType", "raw") == "raw" and not ours, ours=ours)


def labels(participants: Sequence[str]) -> frozenset[str]:
    """Participant labels without ``sub-``."""
    return frozenset(label.removeprefix("sub-") for label in participants)


def wanted_folders(folders: list[str], below: tuple[str, ...], participants: frozenset[str] | None) -> list[str]:
    """Keep the subfolders of a raw dataset that are entered.

    Parameters
    ----------
    folders : names.
    below : components between the dataset's root and the folder that holds them.
    participants : labels asked for, None for all.
    """
    if below:
        return folders
    kept = [name for name in folders if name not in NOT_RAW]
    if participants is None:
        return kept
    return [name for name in kept if name.startswith("sub-") and name.removeprefix("sub-") in participants]


def is_other_datatype(below: tuple[str, ...]) -> bool:
    """Whether a folder of a raw dataset (components below its root) holds a data type that is not asked about."""
    return len(below) >= 2 and below[0].startswith("sub-") and any(part in NOT_ANATOMY for part in below[1:3])
