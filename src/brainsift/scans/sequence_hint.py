"""Which kind of sequence a header speaks of: from keywords in descriptions, which are not kept, and from physics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KEYWORDS = (
    ("localizer", r"LOCALI[SZ]ER|SCOUT|SURVEY|3.?PLANE|PLANSCAN|AAHEAD|CALIBRATION|ASSET CAL"),
    ("dwi", r"DWI|DTI|DIFF|ADC|TRACEW?|B ?1000|HARDI|DSI"),
    ("bold", r"BOLD|FMRI|RSFMRI|REST(ING)?"),
    ("T1w", r"T1 ?FLAIR"),
    ("FLAIR", r"FLAIR|DARK ?FLUID|T2 ?TIRM"),
    ("swi", r"SWI|SWAN|SWIP|VEN ?BOLD|SUSCEPT\w*|QSM"),
    ("angio", r"TOF|ANGIO\w*|MRA|MRV|VENO\w*|PCA|INHANCE"),
    ("T2starw", r"T2 ?\*|T2 ?STAR|T2S|T2 ?GRE|T2 ?FL2D|HEMO|MEDIC|GRE T2|T2 ?FFE"),
    ("T1w", r"T1W?|T1 ?\w+|MP ?RAGE|SPGR|FSPGR|BRAVO|MP2RAGE|TFL3D|MPR"),
    ("PDw", r"PDW?|PROTON ?DENSITY|PD ?\w+"),
    ("T2w", r"T2W?|T2 ?\w+"),
)
"""First match wins: special sequences carry T1 or T2 in their names too."""

PATTERNS = tuple((hint, re.compile(rf"(?<![A-Z0-9])(?:{words})(?![A-Z0-9])")) for hint, words in KEYWORDS)

WEAK = re.compile(r"(?<![A-Z0-9])(?:ME)?GRE(?:\d\w*)?(?! ?F(?:IELD|M))(?![A-Z0-9])")
"""A gradient echo is T1- or T2*-weighted by its times; where nothing tells them, it is most often meant for T2*."""

SHORT_TE_S = 0.030
LONG_TE_S = 0.070
SHORT_TR_S = 1.0
LONG_TR_S = 1.8
FLAIR_TI_S = (1.5, 3.5)
T1_TI_S = (0.4, 1.4)
SUSCEPTIBILITY_TE_S = 0.012
SPOILED_TE_S = 0.008
SPOILED_TR_S = 0.05
"""Usual clinical ranges at 1.5 and 3 T (Bernstein, King and Zhou, Handbook of MRI Pulse Sequences, 2004)."""


def sequence_hint(fields: Mapping[str, Any], texts: tuple[str, ...] = ()) -> str | None:
    """Guess the sequence: ``T1w T2w PDw FLAIR T2starw swi dwi bold angio localizer`` or None.

    Parameters
    ----------
    fields : kept header fields, BIDS names and units (s).
    texts : series description, protocol and sequence name; read and forgotten.
    """
    image_type = set(fields.get("ImageType", ()))
    if "LOCALIZER" in image_type:
        return "localizer"
    if image_type & {"ADC", "TRACEW", "FA", "DIFFUSION"}:
        return "dwi"
    plain = [re.sub(r"[_\-./\\:()]+", " ", text.upper()) for text in texts]
    for text in plain:
        for hint, pattern in PATTERNS:
            if pattern.search(text):
                return hint
    weak = "T2starw" if any(WEAK.search(text) for text in plain) else None
    return _from_physics(fields) or weak


MAP_WORDS = re.compile(r"(?<![a-z])(?:qsm|chi|chimap|suscept\w*map)(?![a-z])")
"""In a file's name they speak of a map of susceptibility; in a protocol's as often of the gradient echo behind it."""


def name_hint(name: str) -> str | None:
    """Guess the sequence from the words in a file's name: as `sequence_hint`, or ``Chimap``."""
    return "Chimap" if MAP_WORDS.search(name.lower()) else sequence_hint({}, (name,))


def _from_physics(fields: Mapping[str, Any]) -> str | None:
    echo, repetition = fields.get("EchoTime"), fields.get("RepetitionTime")
    inversion = fields.get("InversionTime", 0.0)
    kinds = set(str(fields.get("ScanningSequence", "")).split("\\"))
    if echo is None or repetition is None or "EP" in kinds:
        return None
    if FLAIR_TI_S[0] <= inversion <= FLAIR_TI_S[1] and echo >= LONG_TE_S:
        return "FLAIR"
    if T1_TI_S[0] <= inversion <= T1_TI_S[1] and echo < SHORT_TE_S:
        return "T1w"
    if "GR" in kinds:
        return _gradient_echo(echo, repetition)
    if "SE" in kinds and inversion == 0:
        return _spin_echo(echo, repetition)
    return None


def _gradient_echo(echo: float, repetition: float) -> str | None:
    if echo >= SUSCEPTIBILITY_TE_S:
        return "T2starw"
    return "T1w" if echo <= SPOILED_TE_S and repetition <= SPOILED_TR_S else None


def _spin_echo(echo: float, repetition: float) -> str | None:
    if repetition < SHORT_TR_S:
        return "T1w" if echo < SHORT_TE_S else None
    if repetition < LONG_TR_S:
        return None
    if echo >= LONG_TE_S:
        return "T2w"
    return "PDw" if echo < SHORT_TE_S else None
