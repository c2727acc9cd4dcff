"""DICOM whose data set is deflated (PS3.5 A.5): undone here, piece by piece, since pydicom would inflate it whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from brainsift.scans.errors import ScanError
from brainsift.scans.stream import CHUNK_BYTES

RAW_DEFLATE = -zlib.MAX_WBITS
"""PS3.5 A.5 stores bare deflate data (RFC 1951), without zlib's header and checksum."""


def inflate_start(data: bytes, count: int) -> bytes:
    """The first `count` bytes of a deflated data set that begins with `data`; what can be had of damaged data."""
    try:
        return zlib.decompressobj(RAW_DEFLATE).decompress(data, count)
    except zlib.error:
        return b""


def is_deflated(path: Path | str) -> bool:
    """Whether a file's meta information names the deflated transfer syntax; False for what cannot be read."""
    from pydicom.filereader import read_file_meta_info
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    try:
        # pydicom reads the same meta information in the same way before it would inflate.
        return bool(read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian)
    except Exception:  # pydicom raises whatever a damaged file provokes
        return False


def inflate_file(path: Path, data_set: int, limit: int) -> None:
    """Rewrite a deflated file as explicit little endian, in place.

    Parameters
    ----------
    path : a private copy.
    data_set : where the data set begins, in bytes.
    limit : most bytes that the data set may have.

    Raises
    ------
    ScanError
        ``too_large`` beyond `limit`, ``truncated`` or ``corrupt_dicom`` for damaged data.
    OSError
        if the file cannot be written.
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import write_file_meta_info
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()  # A new one: what a damaged file says there may be beyond writing.
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole, size = path.with_suffix(".whole"), path.stat().st_size
    with path.open("rb") as reader, whole.open("wb") as writer:
        writer.write(bytes(128) + b"DICM")
        write_file_meta_info(writer, meta, enforce_standard=False)  # type: ignore[arg-type]
        reader.seek(data_set)
        written = 0
        for piece in _inflated(reader):
            written += len(piece)
            if written > limit:
                raise ScanError(
                    "too_large",
                    f"A deflated file of {size} bytes holds more than {limit / 2**30:.1f} GiB.",
                    "Export the series uncompressed.",
                )
            writer.write(piece)
    whole.replace(path)


def _inflated(reader: BinaryIO) -> Iterator[bytes]:
    """The rest of a file, inflated in pieces of `CHUNK_BYTES` at most."""
    inflater = zlib.decompressobj(RAW_DEFLATE)
    while not inflater.eof:
        packed = inflater.unconsumed_tail or reader.read(CHUNK_BYTES)
        try:
            piece = inflater.decompress(packed, CHUNK_BYTES)
        except zlib.error as error:
            raise ScanError("corrupt_dicom", "The compressed data set is damaged.", "Export it again.") from error
        if not packed and not piece:
            raise ScanError("truncated", "The compressed data set ends early.", "Export it again.")
        yield piece
