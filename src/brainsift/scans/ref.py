"""A scan that was found but not read: what the catalog yields and the engine plans with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from brainsift.scans.errors import ScanError


@dataclass(frozen=True)
class ScanRef:
    """One scan of the input folder.

    Attributes
    ----------
    scan : identity, POSIX path relative to INPUT (DICOM: the series' folder, `folder#0003` for one of several).
        Always encodable as UTF-8.
    stem : relative POSIX path without extension, unique in the run; derived files start with it.
    format : ``nifti``, ``mgz`` or ``dicom``.
    paths : the file, or all files of the DICOM series in name order.
    size : total bytes.
    mtime_ns : newest modification time; (size, mtime_ns) is the cheap fingerprint used to resume.
    participant, session, suffix : BIDS entities where the name has them (``01``, not ``sub-01``).
    sidecar : BIDS JSON beside the file, if any.
    original : the scan that it was made from by defacing, where the run was told.
    problem : found broken already in the catalog (symlink loop, unreadable folder, not an image).
    """

    scan: str
    stem: str
    format: str
    paths: tuple[Path, ...]
    size: int
    mtime_ns: int
    participant: str | None = None
    session: str | None = None
    suffix: str | None = None
    sidecar: Path | None = None
    problem: ScanError | None = None
    original: Path | None = None
