"""Private copies of input files: hashed while copied, so that each input file is read once and never written.

A fault of the input is a `ScanError`; one of the scratch disk stays the `OSError` that it is: no scan is to blame.
"""

from __future__ import annotations

import hashlib
import os
from io import FileIO
from pathlib import Path

from brainsift.scans.errors import ScanError
from brainsift.scans.stream import CHUNK_BYTES, open_failure, refuse_special


def copy_hashed(source: Path, target: Path) -> str:
    """Copy a file and return the SHA-256 of its bytes.

    Raises
    ------
    ScanError
        ``not_a_file``, ``missing_file``, ``no_permission``, ``read_error``, ``changed_while_read``.
    OSError
        if the copy cannot be written.
    """
    digest = hashlib.sha256()
    try:
        refuse_special(source, source.stat().st_mode)
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise open_failure(error) from error
    with os.fdopen(descriptor, "rb", buffering=0) as reader, target.open("wb") as writer:
        before = os.fstat(reader.fileno())
        while chunk := _read(reader):
            digest.update(chunk)
            writer.write(chunk)
        after = os.fstat(reader.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ScanError(
            "changed_while_read", "A file changed while it was being read.", "Wait until it is written, run again."
        )
    return digest.hexdigest()


def _read(reader: FileIO) -> bytes:
    try:
        return reader.read(CHUNK_BYTES)
    except OSError as error:
        raise open_failure(error) from error


def require_room(folder: Path, count: int) -> None:
    """Prove that `count` bytes can be written in `folder`: a converter that failed for want of room does not say so.

    Raises
    ------
    OSError
        if they cannot.
    """
    probe = folder / "room"
    try:
        with probe.open("wb") as file:
            for start in range(0, count, CHUNK_BYTES):
                file.write(bytes(min(CHUNK_BYTES, count - start)))
    finally:
        probe.unlink(missing_ok=True)
