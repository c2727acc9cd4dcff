"""Whether the bytes of a scan are what they were, without decoding them."""

from __future__ import annotations

import hashlib

from brainsift.scans.ref import ScanRef


def content_sha256(ref: ScanRef) -> str | None:
    """SHA-256 of a scan's bytes as `ReadFacts.sha256` has it (several files: of their sorted digests); None if
    unreadable."""
    try:
        digests = []
        for path in ref.paths:
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    except OSError:
        return None
    if len(digests) == 1 and ref.format != "dicom":
        return digests[0]
    return hashlib.sha256("".join(sorted(digests)).encode("ascii")).hexdigest()
