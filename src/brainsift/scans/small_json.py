"""The small JSON files of a dataset, read as what strangers wrote: never a pipe, never more than they may hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from brainsift.scans.errors import ScanError
from brainsift.scans.stream import ByteSource


def read_object(path: Path, most_bytes: int) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is none, or it cannot be read, or it is longer than `most_bytes`."""
    try:
        with ByteSource(path) as source:
            content: Any = json.loads(source.read_up_to(most_bytes))
    except (ScanError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
