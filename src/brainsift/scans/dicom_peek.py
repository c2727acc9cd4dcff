"""Just enough of a DICOM header to sort files into series: a few kilobytes a file, no pixels, no free text."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brainsift.scans.dicom_deflated import inflate_start, is_deflated
from brainsift.scans.quiet import quiet

PEEK_BYTES = 8 << 10
"""Holds the wanted fields of nearly all files; longer headers are left to pydicom."""

META_BYTES = 1 << 20
"""Holds the meta information of any file: a dozen identifiers, and at times private data of a few kilobytes."""

UNDEFINED = 0xFFFFFFFF
LONG_FORM = frozenset([b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UR", b"UT", b"UN", b"SV", b"UV"])
ITEM, ITEM_END, SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)

TRANSFER_SYNTAX = (0x0002, 0x0010)
SOP_CLASS = (0x0008, 0x0016)
MODALITY = (0x0008, 0x0060)
SERIES_UID = (0x0020, 0x000E)
SERIES_NUMBER = (0x0020, 0x0011)
FIRST_ELEMENTS = (0x0000, 0x0001, 0x0005, 0x0008, 0x0016)
"""Of group 0008, with which a data set without preamble begins."""

IMPLICIT = b"1.2.840.10008.1.2"
EXPLICIT_BIG = b"1.2.840.10008.1.2.2"
DEFLATED = b"1.2.840.10008.1.2.1.99"

NOT_IMAGES = (
    "1.2.840.10008.1.3.10",  # DICOMDIR
    "1.2.840.10008.5.1.4.1.1.88.",  # structured reports
    "1.2.840.10008.5.1.4.1.1.104.",  # encapsulated documents
    "1.2.840.10008.5.1.4.1.1.11.",  # presentation states
    "1.2.840.10008.5.1.4.1.1.9.",  # waveforms
    "1.2.840.10008.5.1.4.1.1.66",  # raw data, registrations, segmentations
    "1.2.840.10008.5.1.4.1.1.67",  # real world value maps
    "1.2.840.10008.5.1.4.1.1.481.",  # radiotherapy
    "1.2.840.10008.5.1.4.1.1.4.2",  # spectroscopy
    "1.2.840.10008.5.1.4.34.",  # treatment records
    "1.3.12.2.1107.5.9.1",  # Siemens private data
)
"""Storage classes (DICOM PS3.4 B.5) that hold no picture."""


@dataclass(frozen=True)
class Peek:
    """What the catalog needs of one DICOM file."""

    sop_class: str
    modality: str
    series_uid: str
    series_number: int

    @property
    def is_image(self) -> bool:
        """Whether the storage class holds a picture (unknown classes may)."""
        return not self.sop_class.startswith(NOT_IMAGES)


class _BeyondPeekError(Exception):
    """The header goes on after the bytes at hand, or is written in a way that is left to pydicom."""


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file begins as DICOM does: the mark after the preamble, or a bare data set of group 0008."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 16 or head[0:2] != b"\x08\x00" or int.from_bytes(head[2:4], "little") not in FIRST_ELEMENTS:
        return False
    return head[4:6] in (b"UL", b"CS", b"UI") or struct.unpack_from("<I", head, 4)[0] < PEEK_BYTES


def peek(path: Path | str) -> Peek | None:
    """Read the grouping fields; None if this is not DICOM.

    Raises
    ------
    OSError
        if the file cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        head = os.read(descriptor, PEEK_BYTES)
    finally:
        os.close(descriptor)
    if not looks_like_dicom(head):
        return None
    try:
        return _from_fields(_scan(head))
    except (_BeyondPeekError, struct.error):
        with quiet():
            return _with_pydicom(path)


def _from_fields(fields: dict[tuple[int, int], bytes]) -> Peek:
    def text(tag: tuple[int, int]) -> str:
        return fields.get(tag, b"").decode("ascii", errors="replace").strip("\0 ")

    return Peek(text(SOP_CLASS), text(MODALITY), text(SERIES_UID), _number(text(SERIES_NUMBER)))


def _number(text: str) -> int:
    """The series number; 0 for what is none (IS has at most 12 characters, PS3.5 6.2)."""
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,12}", text) else 0


def _scan(head: bytes) -> dict[tuple[int, int], bytes]:
    marked = head[128:132] == b"DICM"
    fields: dict[tuple[int, int], bytes] = {}
    position = 132 if marked else 0
    if marked:
        fields, position = _meta(head)
    syntax = fields.get(TRANSFER_SYNTAX, b"").strip(b"\0 ")
    if syntax == EXPLICIT_BIG:
        raise _BeyondPeekError
    if syntax == DEFLATED:
        head, position = inflate_start(head[position:], PEEK_BYTES), 0
    explicit = syntax != IMPLICIT if syntax else head[position + 4 : position + 6].isalpha()
    for tag, value, _ in _elements(head, position, explicit, last_group=0x0020):
        if tag in (SOP_CLASS, MODALITY, SERIES_UID, SERIES_NUMBER):
            fields[tag] = value
        if tag >= SERIES_NUMBER:
            return fields
    raise _BeyondPeekError


def _meta(head: bytes) -> tuple[dict[tuple[int, int], bytes], int]:
    """Elements of the meta information of a marked file, and where the data set begins."""
    fields: dict[tuple[int, int], bytes] = {}
    position = 132
    for tag, value, end in _elements(head, position, explicit=True, last_group=0x0002):
        fields[tag] = value
        position = end
    return fields, position


def deflated_data_set(path: Path) -> int | None:
    """Where the data set of a deflated file begins, in bytes; None for any other file.

    Raises
    ------
    OSError
        if the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(META_BYTES)
    if head[128:132] != b"DICM" or DEFLATED not in head:
        return None
    try:
        fields, position = _meta(head)
    except (_BeyondPeekError, struct.error):
        return None
    return position if fields.get(TRANSFER_SYNTAX, b"").strip(b"\0 ") == DEFLATED else None


def _elements(
    data: bytes, position: int, explicit: bool, last_group: int
) -> Iterator[tuple[tuple[int, int], bytes, int]]:
    """Walk over the data elements of one level: tag, value (empty for sequences), end."""
    while position + 8 <= len(data):
        group, element, length, position = _element_header(data, position, explicit)
        if group > last_group:
            # One element of a later group proves that the wanted ones are over.
            if last_group == 0x0020:
                yield (group, element), b"", position
            return
        if length == UNDEFINED:
            position = _skip_sequence(data, position, explicit)
            yield (group, element), b"", position
            continue
        if position + length > len(data):
            raise _BeyondPeekError
        yield (group, element), data[position : position + length], position + length
        position += length


def _element_header(data: bytes, position: int, explicit: bool) -> tuple[int, int, int, int]:
    """Group, element, length of the value, and where it begins."""
    group, element = struct.unpack_from("<HH", data, position)
    if not explicit or group == 0xFFFE:
        return group, element, struct.unpack_from("<I", data, position + 4)[0], position + 8
    if data[position + 4 : position + 6] in LONG_FORM:
        return group, element, struct.unpack_from("<I", data, position + 8)[0], position + 12
    return group, element, struct.unpack_from("<H", data, position + 6)[0], position + 8


def _skip_sequence(data: bytes, position: int, explicit: bool) -> int:
    """Pass over the items of a sequence of undefined length, nested ones too, without recursion."""
    depth = 1
    while depth:
        if position + 8 > len(data):
            raise _BeyondPeekError
        group, element, length, position = _element_header(data, position, explicit)
        if (group, element) in (ITEM_END, SEQUENCE_END):
            depth -= 1
        elif length == UNDEFINED:
            depth += 1
        else:
            position += length
    return position


def _with_pydicom(path: Path | str) -> Peek | None:
    from pydicom import dcmread

    if is_deflated(path):
        return None  # pydicom would inflate it whole, whatever it holds

    wanted = ["SOPClassUID", "Modality", "SeriesInstanceUID", "SeriesNumber"]
    try:
        found = dcmread(path, stop_before_pixels=True, force=True, specific_tags=wanted)
        values = {name: str(found.get(name) or "") for name in wanted}
    except OSError:
        raise
    except Exception:  # pydicom raises whatever a damaged file provokes: to the catalog it is then not DICOM
        return None
    if not any(values.values()):
        return None
    uid = values["SeriesInstanceUID"]
    return Peek(values["SOPClassUID"], values["Modality"], uid, _number(values["SeriesNumber"]))
