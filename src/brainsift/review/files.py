"""The files that a record names, found by name and never by path, and what may be seen of a person in them."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from brainsift.review.errors import RefusedError
from brainsift.store.record import Record
from brainsift.store.run_facts import RUN_NAME

Kind = Literal["brain", "surface", "original"]

BRAIN_ONLY = ("mosaic", "worst_slices", "slices", "brain", "wmh", "microbleeds", "lesions", "candidates")
"""Beginnings of the names of files that show the inside of the skull alone (`anatomy.pictures`). Any other is taken to
show a face: the pictures of a new task must be named here to be seen by everybody."""

ORIGINAL = "original"
"""Beginning of the names of pictures of a scan before it was defaced."""

PICTURES = {".webp": "image/webp", ".png": "image/png", ".jpg": "image/jpeg"}
MASKS = (".nii.gz", ".nii")
MAP = "_probability"
"""Ending of the names of images that are graded: one colour over the mask would hide where it ends, so the viewer is
not given them."""

VOLUMES = (".nii.gz", ".nii", ".mgz")
"""What the viewer reads."""

TITLES = {
    "mosaic": "Slices",
    "mosaic_outline": "Outlines",
    "worst_slices": "Slices to look at",
    "brain_mask": "Brain",
    "wmh_mask": "White-matter hyperintensities",
    "wmh_slices": "Slices with most marked",
    "wmh_slices_outline": "Outlines of what is marked",
    "microbleeds_mask": "Microbleeds",
    "microbleeds_slices": "Each bleed in two planes",
    "microbleeds_slices_outline": "Circles around the bleeds",
}

ATTEMPTS = "brainsift-attempts/"
"""Scans of files that `brainsift defacing remedy` made lie in this folder of OUTPUT (docs/decisions/0008)."""

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Evidence:
    """A file that a run made of a scan: `task` is empty for those that all tasks share."""

    task: str
    name: str
    path: Path

    @property
    def kind(self) -> Kind:
        """What may be seen in it."""
        if self.name.startswith(ORIGINAL):
            return "original"
        return "brain" if self.name.startswith(BRAIN_ONLY) else "surface"

    @property
    def title(self) -> str:
        """For the page."""
        words = self.name.replace("_", " ")
        return TITLES.get(self.name, words[:1].upper() + words[1:])

    @property
    def address(self) -> str:
        """Its name in an address, told apart from that of another task."""
        return f"{self.task}.{self.name}" if self.task else self.name


def evidence_of(record: Record, task: str | None, output: Path, endings: tuple[str, ...]) -> list[Evidence]:
    """Files of a scan that are there, of the kinds wanted.

    Parameters
    ----------
    task : besides the shared ones those of this task; None: of all tasks.
    """
    named = [("", record.evidence)]
    named += [(finding.task, finding.evidence) for finding in record.findings if task in (None, finding.task)]
    found = [
        Evidence(owner, name, output / path)
        for owner, files in named
        for name, path in files.items()
        if path.lower().endswith(endings)
    ]
    return [one for one in found if is_inside(one.path, output) and one.path.is_file()]


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a path stays in a folder, links followed."""
    return path.resolve().is_relative_to(folder.resolve())


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, remembered until its size or time changes.

    Raises
    ------
    OSError
        if it cannot be read.
    """
    facts = path.stat()
    return _sha256(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def input_folder(output: Path) -> Path | None:
    """INPUT as the last run named it."""
    try:
        with (output / RUN_NAME).open("rb") as stream:
            named = tomllib.load(stream).get("input")
    except (OSError, tomllib.TOMLDecodeError):
        return None
    return Path(named) if isinstance(named, str) else None


def volume_of(record: Record, source: Path | None, output: Path) -> Path | str:
    """The file for the viewer, below INPUT or a new attempt below OUTPUT, or why there is none: ``no_input``,
    ``dicom``, ``gone``."""
    if record.scan.startswith(ATTEMPTS):
        source = output.resolve()
    if source is None:
        return "no_input"
    if not record.scan.lower().endswith(VOLUMES):
        return "dicom"
    # Links are followed wherever they lead, as data sets under version control keep files elsewhere: what is served is
    # what has the recorded SHA-256, and nothing else.
    path = source / record.scan
    parts = Path(record.scan).parts
    if path.is_absolute() and ".." not in parts and not Path(record.scan).is_absolute() and path.is_file():
        return path
    return "gone"


def require_same(path: Path, sha256: str | None) -> None:
    """Refuse a file that is not the one that was recorded.

    Raises
    ------
    RefusedError
        ``changed`` or ``not_found``.
    """
    try:
        same = sha256 is not None and sha256_of(path) == sha256
    except OSError:
        raise RefusedError("not_found", "The file cannot be read.", "Check that INPUT is still there.") from None
    if not same:
        raise RefusedError(
            "changed",
            "The file is no longer the one that was sifted.",
            "Run `brainsift run` again; the scan then comes back into the list.",
        )
