"""The BIDS JSON beside an image: the same allow-list as for DICOM headers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from brainsift.scans.errors import ScanError
from brainsift.scans.header_fields import keep
from brainsift.scans.stream import ByteSource

MAX_SIDECAR_BYTES = 16 << 20
"""Sidecars with embedded spectra or slice tables reach a few MB."""

TEXTS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceType")


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """Read the allow-listed fields of a BIDS sidecar; None if it is damaged."""
    try:
        with ByteSource(path) as source:
            content: Any = json.loads(source.read_up_to(MAX_SIDECAR_BYTES))
    except (ScanError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    texts = tuple(str(content[name]) for name in TEXTS if isinstance(content.get(name), str))
    return keep(content, texts)
