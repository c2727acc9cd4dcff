"""One pass over a file: its bytes are hashed and decompressed while they are read, and never more than asked for."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from isal import igzip_lib

from brainsift.scans.errors import ScanError

CHUNK_BYTES = 1 << 20
"""Read and decompress in pieces of 1 MiB: large enough to hide Python's overhead, small enough to stay in cache."""

MAX_DEFLATE_RATIO = 1032
"""Deflate cannot shrink data by more than this (zlib technical details), so a larger claim is a false header."""

GZIP_MAGIC = b"\x1f\x8b"
"""Decompressed by isal: 240 MB of real scans in 0.27 s, zlib takes 0.75 s (benchmarks/bench_reading.py)."""


def refuse_special(path: Path, mode: int) -> None:
    """Refuse what is not a regular file: a folder, or a pipe, socket or device that could block for ever."""
    if stat.S_ISDIR(mode):
        raise ScanError(
            "not_a_file", "A folder carries the name of an image file.", "Rename the folder or give the file inside it."
        )
    if not stat.S_ISREG(mode):
        raise ScanError(
            "not_a_file", "This is a pipe, socket or device, not a regular file.", "Copy the image to a regular file."
        )


def open_failure(error: OSError) -> ScanError:
    """Put the reason why a file could not be opened or read in plain words."""
    if isinstance(error, FileNotFoundError):
        return ScanError(
            "missing_file",
            "The file does not exist (or is a broken link).",
            "Fetch it (datalad get) or remove the link.",
        )
    if isinstance(error, PermissionError):
        return ScanError(
            "no_permission", "The file may not be read by this user.", "Grant read permission and run again."
        )
    if "symbolic link" in (error.strerror or "").lower():
        return ScanError("symlink_loop", "The symbolic link points to itself.", "Remove or repair the link.")
    reason = error.strerror or type(error).__name__
    return ScanError("read_error", f"Reading failed: {reason}.", "Check the disk and the file, then run again.")


class ByteSource:
    """Decoded bytes of a file, plain or gzip (seen from its content, not its name), read once.

    Use as a context manager: `readinto` what is wanted, then `finish`, which reads the rest and proves the file whole.

    Attributes
    ----------
    compressed : whether the content is gzip.
    size : bytes on disk.

    Raises
    ------
    ScanError
        on opening: ``not_a_file missing_file no_permission symlink_loop read_error empty_file``;
        on reading: ``truncated``, ``corrupt_gzip``, ``trailing_data``, ``changed_while_read``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            refuse_special(path, path.stat().st_mode)
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise open_failure(error) from error
        self._file: BinaryIO = os.fdopen(descriptor, "rb", buffering=0)
        try:
            self._before = os.fstat(self._file.fileno())
            refuse_special(path, self._before.st_mode)
            self._start()
        except OSError as error:
            self._file.close()
            raise open_failure(error) from error
        except BaseException:
            self._file.close()
            raise

    def _start(self) -> None:
        self.size = self._before.st_size
        if self.size == 0:
            raise ScanError("empty_file", "The file holds zero bytes.", "Copy or convert the scan again.")
        self._digest = hashlib.sha256()
        self._raw = self._read_raw()
        self.compressed = self._raw.startswith(GZIP_MAGIC)
        self._inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP) if self.compressed else None
        self._pending = b""
        self.decoded = 0

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _read_raw(self) -> bytes:
        try:
            chunk = self._file.read(CHUNK_BYTES)
        except OSError as error:
            raise open_failure(error) from error
        self._digest.update(chunk)
        return chunk

    def _next_plain(self) -> bytes:
        chunk, self._raw = self._raw, b""
        return chunk or self._read_raw()

    def _next_inflated(self) -> bytes:
        while True:
            inflater = self._inflater
            if inflater is None:
                return b""
            if inflater.eof:
                if not self._start_next_member(inflater.unused_data):
                    return b""
                continue
            if inflater.needs_input and not self._raw:
                self._raw = self._read_raw()
                if not self._raw:
                    self._refuse_changed()
                    raise ScanError(
                        "truncated",
                        f"The compressed data end early, after {self.decoded} decoded bytes.",
                        "Copy or convert the scan again.",
                    )
            try:
                piece, self._raw = inflater.decompress(self._raw, CHUNK_BYTES), b""
            except igzip_lib.IsalError as error:  # type: ignore[misc]
                self._refuse_changed()
                raise ScanError(
                    "corrupt_gzip", f"The compressed data are damaged ({error}).", "Copy or convert the scan again."
                ) from error
            if piece:
                return piece

    def _start_next_member(self, rest: bytes) -> bool:
        """Go on with the next gzip member, as written by bgzip and pigz; anything else after the end is ignored."""
        rest = rest or self._read_raw()
        if len(rest) < len(GZIP_MAGIC) and rest:
            rest += self._read_raw()
        if not rest.startswith(GZIP_MAGIC):
            self._inflater = None
            return False
        self._inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        self._raw = rest
        return True

    def _next(self) -> bytes:
        piece = self._next_inflated() if self.compressed else self._next_plain()
        self.decoded += len(piece)
        return piece

    def read_up_to(self, count: int) -> bytes:
        """Return `count` decoded bytes, fewer only at the end of the file."""
        pieces = bytearray()
        while len(pieces) < count:
            piece = self._pending or self._next()
            if not piece:
                break
            wanted = count - len(pieces)
            pieces += piece[:wanted]
            self._pending = piece[wanted:]
        return bytes(pieces)

    def push_back(self, piece: bytes) -> None:
        """Give bytes back, to be read again first."""
        self._pending = piece + self._pending

    def readinto(self, target: memoryview) -> None:
        """Fill `target` with the next decoded bytes or raise ``truncated``."""
        filled = 0
        while filled < len(target):
            piece = self._pending or self._next()
            if not piece:
                self._refuse_changed()
                raise ScanError(
                    "truncated",
                    f"The header promises {len(target)} bytes of voxels, the file holds {filled}.",
                    "Copy or convert the scan again.",
                )
            used = min(len(target) - filled, len(piece))
            target[filled : filled + used] = piece[:used]
            self._pending = piece[used:]
            filled += used

    def skip(self, count: int) -> None:
        """Pass over `count` decoded bytes or raise ``truncated``."""
        while count > 0:
            taken = len(self.read_up_to(min(count, CHUNK_BYTES)))
            if taken == 0:
                raise ScanError(
                    "truncated", "The file ends before the voxels begin.", "Copy or convert the scan again."
                )
            count -= taken

    def refuse_false_claim(self, decoded_bytes: int) -> None:
        """Refuse, before anything is allocated, a header that claims more than the file can possibly hold."""
        possible = self.size * (MAX_DEFLATE_RATIO if self.compressed else 1)
        if decoded_bytes > possible:
            raise ScanError(
                "truncated",
                f"The header claims {decoded_bytes} bytes, a file of {self.size} bytes cannot hold them.",
                "Copy or convert the scan again.",
            )

    def finish(self, tolerance: int) -> tuple[str, int]:
        """Read to the end and return (SHA-256 of the file's bytes, number of decoded bytes that nobody asked for).

        Raises
        ------
        ScanError
            ``trailing_data`` past `tolerance` surplus bytes, ``changed_while_read`` if size or time of the file moved.
        """
        surplus = len(self._pending)
        while piece := self._next():
            surplus += len(piece)
            if surplus > tolerance:
                raise ScanError(
                    "trailing_data",
                    f"More than {tolerance} bytes follow the voxels that the header declares.",
                    "The header is false: convert the scan again.",
                )
        while self._read_raw():
            pass
        self._refuse_changed()
        return self._digest.hexdigest(), surplus

    def _refuse_changed(self) -> None:
        """Raise where size or time of the file moved since it was opened: what looks damaged is then being written."""
        try:
            now = (os.fstat(self._file.fileno()), self.path.stat())
        except OSError as error:
            raise open_failure(error) from error
        expected = (self._before.st_size, self._before.st_mtime_ns)
        if any((after.st_size, after.st_mtime_ns) != expected for after in now):
            raise ScanError(
                "changed_while_read",
                "The file changed while it was being read.",
                "Wait until it is written, run again.",
            )
