"""What the headers of one DICOM series say before it is converted, and why it could not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainsift.scans.errors import ScanError
from brainsift.scans.header_fields import NUMBERS, TERMS

if TYPE_CHECKING:
    from pydicom import Dataset

GAP_RATIO = 1.5
"""A step between slices larger than this share of the usual one is a missing slice."""

SAME_POSITION_MM = 0.01
"""Slices closer than this lie at one position (echoes, repetitions): DICOM decimals carry about a micrometre."""

MAX_COSINE = 1.01
"""Direction cosines are 1 at most; decimals are rounded."""

MAX_POSITION_MM = 1e5
"""A hundred metres from the isocentre is no position."""

PIXEL_TAG_BYTES = 8
"""Tag and length before the pixels, at least (implicit VR)."""

EXPORT = "Export the series again from the archive."

FIELDS = (*NUMBERS, *TERMS, "Manufacturer", "ManufacturerModelName", "ContrastBolusAgent")
"""DICOM keywords that are looked at; `header_fields.keep` filters their values."""

TEXTS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")


@dataclass
class SeriesFacts:
    """Facts of a series.

    Attributes
    ----------
    rows, columns, slices : of the volume that the headers promise (0 where they do not say).
    fields : values of the first slice, by DICOM keyword; filtered before they are kept.
    texts : descriptions; only used to guess the sequence.
    sizes : different (rows, columns) in the series.
    compressed : names of compressed transfer syntaxes.
    decoded_bytes : of all pixels that the headers declare.
    """

    files: int = 0
    rows: int = 0
    columns: int = 0
    slices: int = 0
    fields: dict[str, Any] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    sizes: set[tuple[int, int]] = field(default_factory=set)
    compressed: set[str] = field(default_factory=set)
    equalise_expected: bool = False
    decoded_bytes: int = 0
    repairs: list[str] = field(default_factory=list)


def inspect(paths: Sequence[Path]) -> SeriesFacts:
    """Read all headers of a series and refuse what cannot become a volume.

    Raises
    ------
    ScanError
        ``wrong_magic``, ``no_pixels``, ``colour``, ``truncated``.
    """
    headers = _headers(paths)
    with_pixels = [(header, left) for header, left in headers if _has_pixels(header, left)]
    if not with_pixels:
        raise ScanError("no_pixels", "The DICOM files hold no image, only a header.", EXPORT)
    first = with_pixels[0][0]
    if _count(first, "SamplesPerPixel") > 1 or str(first.get("PhotometricInterpretation", "")).startswith(
        ("RGB", "YBR")
    ):
        raise ScanError(
            "colour", "This is a colour image, a screenshot or a map.", "Give the original greyscale series."
        )
    _refuse_cut(with_pixels)
    facts = SeriesFacts(files=len(headers), rows=_count(first, "Rows"), columns=_count(first, "Columns"))
    facts.fields = {name: _plain(first.get(name)) for name in FIELDS if name in first}
    facts.texts = tuple(str(first.get(name)) for name in TEXTS if first.get(name))
    facts.sizes = {(_count(header, "Rows"), _count(header, "Columns")) for header, _ in with_pixels}
    facts.decoded_bytes = sum(_pixel_bytes(header) for header, _ in with_pixels)
    facts.compressed = {name for header, _ in with_pixels if (name := _compression(header))}
    if len(with_pixels) < len(headers):
        facts.repairs.append(f"{len(headers) - len(with_pixels)} files without an image were left out.")
    _measure_steps([header for header, _ in with_pixels], facts)
    return facts


def _headers(paths: Sequence[Path]) -> list[tuple[Dataset, int]]:
    """Header of each readable file, and how many bytes follow it."""
    from pydicom import dcmread

    wanted = [*FIELDS, *TEXTS, "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated"]
    wanted += ["NumberOfFrames", "ImagePositionPatient", "ImageOrientationPatient"]
    headers: list[tuple[Dataset, int]] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                header = dcmread(file, stop_before_pixels=True, force=True, specific_tags=wanted)
                # Reading stopped where the pixels begin, or at the end of the file.
                left = path.stat().st_size - file.tell()
            [header.get(name) for name in wanted]  # values are parsed on first access: let it happen here
        except Exception:  # pydicom raises whatever a damaged file provokes
            continue
        headers.append((header, left))
    if not headers:
        raise ScanError("wrong_magic", "No file of the series can be read as DICOM.", EXPORT)
    return headers


def _count(header: Dataset, name: str) -> int:
    try:
        return max(0, int(header.get(name) or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def _plain(value: Any) -> Any:
    """Bring pydicom's value types to plain numbers, strings and lists of them."""
    if value is None or isinstance(value, (str, int, float)):
        return float(value) if isinstance(value, float) else str(value) if isinstance(value, str) else value
    try:
        return [_plain(item) for item in value]
    except TypeError:
        return str(value)


def _compression(header: Dataset) -> str | None:
    from pydicom.uid import UID

    try:
        # A damaged element has another type, and its value is parsed only here.
        syntax = UID(str(header.file_meta.TransferSyntaxUID))
        return str(syntax.name) if syntax.is_transfer_syntax and syntax.is_compressed else None
    except Exception:  # pydicom raises whatever a damaged file provokes
        return None


def _has_pixels(header: Dataset, left: int) -> bool:
    return left > 0 and _count(header, "Rows") > 0 and _count(header, "Columns") > 0


def _refuse_cut(headers: list[tuple[Dataset, int]]) -> None:
    """Refuse files that are shorter than the pixels that they declare."""
    cut = 0
    for header, left in headers:
        if _compression(header):
            continue
        cut += left < _pixel_bytes(header) + PIXEL_TAG_BYTES
    if cut:
        raise ScanError("truncated", f"{cut} of {len(headers)} DICOM files end before their pixels do.", EXPORT)


def _pixel_bytes(header: Dataset) -> int:
    bits = _count(header, "BitsAllocated") or 16
    frames = _count(header, "NumberOfFrames") or 1
    return _count(header, "Rows") * _count(header, "Columns") * frames * bits // 8


def refuse_claim(total: int, limit: int) -> None:
    """Refuse a series of `total` bytes of pixels, on disk or declared, before anything takes memory for them."""
    if total > limit:
        raise ScanError(
            "too_large",
            f"The series holds {total / 2**30:.1f} GiB, the limit is {limit / 2**30:.1f} GiB.",
            "Give the run more memory or split the series.",
        )


def _measure_steps(headers: list[Dataset], facts: SeriesFacts) -> None:
    """Count slice positions along the normal, and say where slices are missing."""
    if len(headers) == 1 and _count(headers[0], "NumberOfFrames") > 1:
        return
    try:
        orientations = np.asarray([header["ImageOrientationPatient"].value for header in headers], dtype=np.float64)
        positions = np.asarray([header["ImagePositionPatient"].value for header in headers], dtype=np.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        orientations = positions = np.empty(0)
    whole = orientations.shape == (len(headers), 6) and positions.shape == (len(headers), 3)
    # Comparisons with NaN are false: what is not a number is not sound either.
    if not (whole and np.abs(orientations).max() < MAX_COSINE and np.abs(positions).max() < MAX_POSITION_MM):
        facts.repairs.append(
            "Slice positions are not in every header; the order of the slices is the converter's guess."
        )
        return
    if float(np.abs(orientations - orientations[0]).max()) > SAME_POSITION_MM:
        facts.repairs.append("The series mixes orientations.")
        return
    normal = np.cross(orientations[0][:3], orientations[0][3:6])
    along = np.sort(positions @ normal)
    steps = np.diff(along)
    apart = steps[steps > SAME_POSITION_MM]
    facts.slices = len(apart) + 1
    if len(apart) == 0:
        return
    usual = float(np.median(apart))
    missing = int(sum(round(float(step) / usual) - 1 for step in apart if step > GAP_RATIO * usual))
    if missing:
        facts.equalise_expected = True
        facts.repairs.append(f"About {missing} slices are missing between the others.")
    repeats = Counter(np.round(along / SAME_POSITION_MM).astype(np.int64).tolist())
    if max(repeats.values()) > 1:
        facts.equalise_expected = True


def explain(facts: SeriesFacts) -> ScanError:
    """Say why the converter made nothing of a series."""
    if len(facts.sizes) > 1:
        return ScanError("mixed_sizes", f"The slices have {len(facts.sizes)} different sizes.", EXPORT)
    if facts.compressed:
        return ScanError(
            "compressed_dicom",
            f"The pixels are compressed ({', '.join(sorted(facts.compressed))}) in a way that could not be undone.",
            "Export the series uncompressed (explicit VR little endian).",
        )
    if facts.files == 1:
        return ScanError("single_slice", "The series is one image that could not be converted.", EXPORT)
    return ScanError("dicom_conversion_failed", "dcm2niix made no volume of the series.", EXPORT)
