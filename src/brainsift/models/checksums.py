"""`SHA256SUMS`, the file beside the models that says what each file must hash to (format of coreutils' sha256sum)."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

SUMS_FILE = "SHA256SUMS"
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?P<file>\S.*)")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """File name → expected SHA-256 of the files in `folder`; empty where no list is kept.

    Raises
    ------
    ValueError
        if a line is not in the format of sha256sum.
    """
    listing = folder / SUMS_FILE
    if not listing.is_file():
        return {}
    sums = {}
    for number, line in enumerate(listing.read_text(encoding="utf-8").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{listing}, line {number}: expected '<64 hex digits>  <file>', got {line[:80]!r}")
        sums[match["file"]] = match["digest"]
    return sums


def record_sum(folder: Path, file: str) -> str:
    """Hash `folder/file` as it is now, keep the digest in `SHA256SUMS`, and return it."""
    sums = read_sums(folder)
    sums[file] = sha256_of(folder / file)
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (folder / SUMS_FILE).write_text(text, encoding="utf-8")
    return sums[file]
