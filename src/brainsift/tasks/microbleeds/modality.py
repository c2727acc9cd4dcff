"""The kinds of scan in which bleeds are sought, and which of them a scan is by its name and header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from brainsift.scans.sequence_hint import name_hint

Modality = Literal["gre", "swi", "qsm"]
"""T2*-weighted gradient echo and susceptibility-weighted magnitude, where bleeds are dark, and quantitative
susceptibility, where they are bright."""

SUFFIXES: Mapping[str, Modality] = {
    **dict.fromkeys(("T2starw", "GRE", "MEGRE"), "gre"),
    **dict.fromkeys(("swi", "SWI", "minIP"), "swi"),
    **dict.fromkeys(("Chimap", "QSM"), "qsm"),
}
"""Endings of names, by BIDS and as found in practice."""


def modality_of(header: Mapping[str, Any], suffix: str | None, name: str) -> Modality:
    """What a scan is said to be; ``gre`` where nothing is said. The image has the last word (`polarity`).

    Parameters
    ----------
    header : allow-listed fields; `SequenceHint` is read.
    suffix : of the BIDS name.
    name : of the file, for scans without one.
    """
    if (said := SUFFIXES.get(suffix or "")) is not None:
        return said
    words = name_hint(name)
    if words == "Chimap":
        return "qsm"
    return "swi" if (header.get("SequenceHint") or words) == "swi" else "gre"
