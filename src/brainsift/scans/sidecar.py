"""The BIDS JSON beside an image: the same allow-list as for DICOM headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainsift.scans.header_fields import keep
from brainsift.scans.small_json import read_object

MAX_SIDECAR_BYTES = 16 << 20
"""Sidecars with embedded spectra or slice tables reach a few MB."""

TEXTS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceType")


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """Read the allow-listed fields of a BIDS sidecar; None if it is damaged."""
    content = read_object(path, MAX_SIDECAR_BYTES)
    if content is None:
        return None
    texts = tuple(str(content[name]) for name in TEXTS if isinstance(content.get(name), str))
    return keep(content, texts)
