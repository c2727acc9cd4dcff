"""Names for logs: a scan or a study without its path, told apart by whoever holds OUTPUT and by nobody else.

Paths name people (`sub-01`, sometimes worse), and a plain hash of a path is a list of guesses away from it. So the key
of the hash is drawn for each study and stays in OUTPUT.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

KEY_NAME = ".log_key"
"""File in OUTPUT with the key, readable by its owner alone; without it the names in old logs mean nothing any more."""

KEY_BYTES = 32

NAME_BYTES = 8
"""Of a name. Among 10^5 scans two share one with a chance of 3 in 10^10 (birthday bound)."""


def log_key(output: Path) -> bytes:
    """The key of a study; drawn when it is first asked for.

    Raises
    ------
    OSError
        if it cannot be written.
    """
    path = output / KEY_NAME
    with suppress(FileNotFoundError):
        key = path.read_bytes()
        if len(key) == KEY_BYTES:
            return key
    drawn = secrets.token_bytes(KEY_BYTES)
    part = path.with_name(f"{KEY_NAME}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, drawn)
    finally:
        os.close(descriptor)
    try:
        # Of several jobs that start at once, one draws the key of all: a link does not replace what is there.
        os.link(part, path)
    except FileExistsError:
        held = path.read_bytes()
        if len(held) == KEY_BYTES:
            return held
        part.replace(path)
    except OSError:  # a file system without links
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return drawn


def private_name(key: bytes, scan: str) -> str:
    """Sixteen hexadecimal digits that stand for a scan: BLAKE2b (RFC 7693) with the study's key."""
    return hashlib.blake2b(scan.encode("utf-8", "surrogatepass"), key=key, digest_size=NAME_BYTES).hexdigest()


def study_key(key: bytes) -> str:
    """The name of the study itself."""
    return private_name(key, "")
