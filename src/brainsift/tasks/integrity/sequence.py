"""One answer on the sequence from its witnesses: header, BIDS name, the look of the image, words in a file's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brainsift.scans.sequence_hint import name_hint
from brainsift.tasks.integrity.appearance import UNKNOWN

PHASE = "phase"

SUFFIX_SEQUENCE: dict[str, str] = {
    **dict.fromkeys(("T1w", "inplaneT1", "MPRAGE", "UNIT1"), "T1w"),
    **dict.fromkeys(("T2w", "inplaneT2"), "T2w"),
    "PDw": "PDw",
    "FLAIR": "FLAIR",
    **dict.fromkeys(("T2starw", "swi", "SWI", "minIP", "GRE", "MEGRE"), "T2starw"),
    **dict.fromkeys(("Chimap", "QSM"), "Chimap"),
    **dict.fromkeys(("phase", "part-phase"), PHASE),
    "angio": "angio",
    "dwi": "dwi",
    "bold": "bold",
}
"""BIDS suffix (and names found in practice) → sequence. Susceptibility-weighted kinds count as T2starw."""

PARAMETER_SUFFIXES = frozenset(
    [
        "T1map",
        "T2map",
        "T2starmap",
        "R1map",
        "R2map",
        "R2starmap",
        "PDmap",
        "Chimap",
        "QSM",
        "MTRmap",
        "MTsat",
        "T1rho",
        "MTVmap",
        "M0map",
        "phase",
    ]
)

HEADER_SEQUENCE: dict[str, str] = {"swi": "T2starw"}
"""Header hints that go by another name here; the rest keeps its own."""

FAMILY: dict[str, str] = {
    "T1w": "T1w",
    "FLAIR": "FLAIR",
    "T2w": "bright fluid",
    "PDw": "bright fluid",
    "T2starw": "bright fluid",
}
"""Sequences whose looks overlap are one family: only families can contradict each other."""

MAX_DECLARED_PROBABILITY = 0.05
MIN_SEEN_PROBABILITY = 0.8
"""The image contradicts a declared sequence when it gives its family less than 5 % and another at least 80 %."""

MIN_ANSWER_PROBABILITY = 0.5
"""Without a name and a header, the image must be more sure than not."""


@dataclass(frozen=True)
class SequenceAnswer:
    """What the scan is, and who says so.

    Attributes
    ----------
    sequence : the answer, or ``unknown``.
    from_header, from_name, from_image : each witness, ``None`` where it is silent.
    conflict : whether two witnesses contradict each other.
    """

    sequence: str
    from_header: str | None
    from_name: str | None
    from_image: str | None
    conflict: bool


def settle_sequence(
    header: dict[str, Any], suffix: str | None, look: dict[str, float], *, name: str = "", wraps: bool = False
) -> SequenceAnswer:
    """Weigh the witnesses. Where the image clearly contradicts what is declared, the image is believed and it is
    flagged.

    Parameters
    ----------
    header : allow-listed fields; `SequenceHint` and `ImageType` are read.
    suffix : BIDS suffix of the name.
    look : from `sequence_look`.
    name : of a file without BIDS suffix; words in it count only where header and image are silent.
    wraps : whether the values are those of wrapped phase, which no magnitude image looks like.
    """
    from_header = header_sequence(header)
    from_name = SUFFIX_SEQUENCE.get(suffix or "")
    if wraps:
        declared = from_header or from_name
        return SequenceAnswer(PHASE, from_header, from_name, PHASE, declared not in (None, PHASE))
    words = None if from_header or from_name else _spoken(name_hint(name))
    best = max(look, key=lambda name: look[name])
    from_image = best if best != UNKNOWN and look[best] >= MIN_ANSWER_PROBABILITY else None
    declared = from_header or from_name
    contradicted = declared is not None and image_contradicts(declared, look)
    disagree = from_header is not None and from_name is not None and _family(from_header) != _family(from_name)
    if contradicted and from_name is not None and from_name != declared and not image_contradicts(from_name, look):
        declared, contradicted = from_name, False
    sequence = best if contradicted else declared or from_image or words or UNKNOWN
    return SequenceAnswer(sequence, from_header, from_name or words, from_image, contradicted or disagree)


def header_sequence(header: dict[str, Any]) -> str | None:
    """What the header says: phase images first, since their sequence parameters are those of the magnitude."""
    image_type = set(header.get("ImageType", ()))
    if image_type & {"P", "PHASE", "P_FFE", "P_SE"}:
        return PHASE
    hint = header.get("SequenceHint")
    return _spoken(None if hint is None else str(hint))


def _spoken(hint: str | None) -> str | None:
    return None if hint is None else HEADER_SEQUENCE.get(hint, hint)


def is_declared_map(header: dict[str, Any], suffix: str | None) -> bool:
    """Whether name or header call the scan a parameter map."""
    return (
        suffix in PARAMETER_SUFFIXES
        or header_sequence(header) == PHASE
        or bool(set(header.get("ImageType", ())) & {"ADC", "FA", "T1_MAP", "T2_MAP", "FIELD_MAP"})
    )


def image_contradicts(declared: str, look: dict[str, float]) -> bool:
    """Whether the look of the image rules the declared sequence out. Sequences without a known look are never ruled
    out."""
    if declared not in FAMILY:
        return False
    by_family: dict[str, float] = {}
    for name, probability in look.items():
        by_family[_family(name)] = by_family.get(_family(name), 0.0) + probability
    others = [p for family, p in by_family.items() if family not in (_family(declared), UNKNOWN)]
    seen = by_family.get(_family(declared), 0.0)
    return seen < MAX_DECLARED_PROBABILITY and max(others, default=0.0) >= MIN_SEEN_PROBABILITY


def _family(sequence: str) -> str:
    return FAMILY.get(sequence, sequence)
