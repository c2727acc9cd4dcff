"""Names of scans: safe to print and to store, unique in a run, and what BIDS says in them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

MAX_COMPONENT_BYTES = 150
"""File systems allow 255 bytes a name; derived files append up to about 80."""

KEY_VALUE = re.compile(r"([A-Za-z]+)-([A-Za-z0-9+]+)$")

_SUFFIXES = """T1w T2w PDw FLAIR T2starw inplaneT1 inplaneT2 PDT2 angio UNIT1 MP2RAGE MPRAGE MEGRE MESE T1map T2map
    T2starmap R1map R2map R2starmap PDmap Chimap swi SWI minIP GRE QSM VFA IRT1 TB1TFL TB1RFM MTR MTS MPM MTRmap MTsat
    T1rho FLASH defacemask"""
KNOWN_SUFFIXES = frozenset(_SUFFIXES.split())
"""Suffixes of anatomical images (BIDS 1.10, anat), and ``swi`` as it is found in practice."""


def printable(path: str) -> str:
    """Escape what cannot be printed or encoded as UTF-8; backslashes are doubled so that no two paths look alike."""
    if path.isprintable() and "\\" not in path:
        return path
    return "".join(_escape(character) for character in path)


def _escape(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # a byte that is not UTF-8, as Python keeps it in names
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def shorten(component: str) -> str:
    """Cut a path component that would leave no room for derived names; a digest keeps it unique."""
    encoded = component.encode("utf-8")
    if len(encoded) <= MAX_COMPONENT_BYTES:
        return component
    kept = encoded[: MAX_COMPONENT_BYTES - 9].decode("utf-8", errors="ignore")
    return f"{kept}~{hashlib.sha256(encoded).hexdigest()[:8]}"


def safe_stem(path: str) -> str:
    """Turn a printable relative path into one that any file system and any link takes."""
    cleaned = re.sub(r"[^\w\-.+~ /]", "_", path)
    return "/".join(shorten(part.rstrip(". ") or "_") for part in cleaned.split("/"))


class Unique:
    """Hand out names that differ even where upper and lower case are one; later twins get ``~2``, ``~3``."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, name: str) -> str:
        """Return `name`, or its first free variant."""
        candidate, number = name, 1
        while candidate.casefold() in self._taken:
            number += 1
            candidate = f"{name}~{number}"
        self._taken.add(candidate.casefold())
        return candidate


@dataclass(frozen=True)
class Entities:
    """What a BIDS-like name says; labels without their key (``01``, not ``sub-01``)."""

    participant: str | None = None
    session: str | None = None
    suffix: str | None = None


def entities(folders: tuple[str, ...], stem: str) -> Entities:
    """Read participant, session and suffix from a file's stem, or from its folders where the stem has none.

    Parameters
    ----------
    folders : components of the relative path, outermost first.
    stem : file name without extension.
    """
    parts = stem.split("_")
    found = {m[1]: m[2] for part in (*folders, *parts) if (m := KEY_VALUE.match(part)) and m[1] in ("sub", "ses")}
    last = parts[-1]
    named = last in KNOWN_SUFFIXES or (parts[0].startswith("sub-") and len(parts) > 1 and last.isalnum())
    return Entities(found.get("sub"), found.get("ses"), last if named else None)
