"""DICOM files of one folder, sorted into series."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from brainsift.scans.dicom_peek import Peek, peek
from brainsift.scans.errors import ScanError
from brainsift.scans.stream import open_failure
from brainsift.scans.walk import Found


@dataclass
class Series:
    """One series in one folder; `tag` tells it from the others there (empty if it is alone)."""

    uid: str
    number: int
    tag: str = ""
    files: list[Found] = field(default_factory=list)


@dataclass
class Sorted:
    """What a folder's candidates turned out to be.

    Attributes
    ----------
    series : image series, by series number.
    broken : files that claim to be DICOM by name and are not, or cannot be read.
    not_images : reports, presentation states and the like.
    ignored : files without extension that are something else.
    """

    series: list[Series] = field(default_factory=list)
    broken: list[tuple[Found, ScanError]] = field(default_factory=list)
    not_images: int = 0
    ignored: int = 0


def sort_series(candidates: list[tuple[Found, bool]]) -> Sorted:
    """Sort files into series by their headers.

    Parameters
    ----------
    candidates : files, and whether their name claims DICOM (otherwise only the content decides).
    """
    result = Sorted()
    groups: dict[str, Series] = {}
    for found, claims in candidates:
        try:
            seen = peek(found.path)
        except OSError as error:
            result.broken.append((found, open_failure(error)))
            continue
        _place(found, claims, seen, groups, result)
    result.series = sorted(groups.values(), key=lambda series: (series.number, series.uid))
    _tag(result.series)
    return result


def _place(found: Found, claims: bool, seen: Peek | None, groups: dict[str, Series], result: Sorted) -> None:
    if seen is None and not claims:
        result.ignored += 1
    elif seen is None:
        result.broken.append((found, _not_dicom(found)))
    elif not seen.is_image:
        result.not_images += 1
    else:
        groups.setdefault(seen.series_uid, Series(seen.series_uid, seen.series_number)).files.append(found)


def _not_dicom(found: Found) -> ScanError:
    if found.status is not None and found.status.st_size == 0:
        return ScanError("empty_file", "The file holds zero bytes.", "Export the series again.")
    return ScanError(
        "wrong_magic", f"{Path(found.name).suffix or 'The file'} is no DICOM file inside.", "Export the series again."
    )


def _tag(series: list[Series]) -> None:
    """Name series of one folder by number, and by a digest of their identifier where two share a number."""
    if len(series) < 2:
        return
    same: dict[int, int] = defaultdict(int)
    for one in series:
        same[one.number] += 1
    for one in series:
        one.tag = f"{one.number:04d}"
        if same[one.number] > 1:
            one.tag += "-" + hashlib.sha256(one.uid.encode("utf-8", "replace")).hexdigest()[:6]
